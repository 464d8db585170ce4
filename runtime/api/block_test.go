package api

import (
	"fmt"
	"maps"
	"testing"
)

// blocks is a fixture with the types that every server knows.
func blocks(t *testing.T) *fixture {
	t.Helper()
	w := memory(t)
	if err := w.service.RegisterBlocks(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

// register makes a type with one schema and returns their ids.
func (w *fixture) register(slug string, fields object, capabilities ...string) (kind, schema string) {
	w.Helper()
	k := w.post(201, "/block_types/", object{"name": slug, "slug": slug, "code_example": "x"})
	fields["block_type_slug"] = slug
	s := w.post(201, "/block_schemas/", object{"block_type_id": k["id"], "fields": fields, "capabilities": append([]string{}, capabilities...)})
	return k["id"].(string), s["id"].(string)
}

func TestBuiltinBlocks(t *testing.T) {
	w := blocks(t)
	// What the clients ask for; the checksums are theirs.
	for _, c := range []struct{ slug, version, checksum string }{
		{"webhook", "3.4.9", "61e9dbea14935ccb2cfac7eb38f01c4e878a81073806f2aec993820fa0d91eb3"},
		{"json", "3.4.9", "0f01d400eb1ebd964d491132cda72e6a6d843f8ce940397b3dba7be219852106"},
		{"date-time", "3.4.9", "94cacaae861dc63b4fcfef96972d9269bb7cb8897a0591a6fd2ac6d0ee64571f"},
		{"secret", "3.4.9", "f290d6bec2665ff8179b4b88a1ba1942bc93b228504da8b65ce66e8aa70d6159"},
		{"local-file-system", "3.4.9", "80dd31d7cc72fba9f3005c9692797050a118b5b24f3354df05ec1b7de9f0abbd"},
		{"webhook", "3.8.8", "58bb03f0d84592252ad568ed9a8c899792ae5d0ad2dd4a2428e99674f9050cf1"},
		{"secret", "3.8.8", "c078ed9c1e813e224c0b353d7ad4564a11d51d3198d9ac0686478165a1911c78"},
		{"local-file-system", "3.8.8", "0fc8b7f936f38f465715ef2df4a817ac9fe38b80bb01d5c6c9649a6da6ae6971"},
	} {
		kind := w.get("/block_types/slug/" + c.slug)
		shaped(t, "block_type", kind)
		equal(t, c.slug+" is protected", kind["is_protected"], true)
		schema := w.get("/block_schemas/checksum/sha256:" + c.checksum + "?version=" + c.version)
		shaped(t, "block_schema", schema)
		equal(t, c.slug, []any{schema["block_type_id"], at(schema, "block_type", "slug"), schema["version"]}, []any{kind["id"], c.slug, c.version})
		equal(t, "delete "+c.slug, w.do(403, "DELETE", "/block_types/"+kind["id"].(string), nil), object{"detail": "protected block types cannot be deleted."})
		w.do(403, "DELETE", "/block_schemas/"+schema["id"].(string), nil)
	}
	w.do(404, "GET", "/block_schemas/checksum/sha256:f290d6bec2665ff8179b4b88a1ba1942bc93b228504da8b65ce66e8aa70d6159?version=3.5.0", nil)
	equal(t, "install again", w.do(200, "POST", "/block_types/install_system_block_types", nil), nil)
	equal(t, "types", names(w.list("/block_types/filter", object{}), "slug"), "[date-time json local-file-system notification-url secret slack-webhook webhook]")
	newest := w.list("/block_schemas/filter", object{"block_schemas": object{"block_type_id": object{"any_": []any{w.get("/block_types/slug/secret")["id"]}}}, "limit": 1})
	equal(t, "newest schema of secret", names(newest, "version"), "[3.4.9]")
	equal(t, "capabilities", w.do(200, "GET", "/block_capabilities/", nil), "[get-directory notify put-directory read-path write-path]")
	equal(t, "by capability", names(w.list("/block_types/filter", object{"block_schemas": object{"block_capabilities": object{"all_": []string{"write-path"}}}}), "slug"), "[local-file-system]")
	equal(t, "by name", names(w.list("/block_types/filter", object{"block_types": object{"name": object{"like_": "SEC"}}}), "slug"), "[secret]")
}

func TestBlockSchemas(t *testing.T) {
	w := blocks(t)
	inner := object{"title": "Inner", "type": "object", "required": []string{"key"}, "secret_fields": []string{"key"}, "block_schema_references": object{},
		"properties": object{"key": object{"type": "string", "title": "Key", "format": "password", "writeOnly": true}, "host": object{"type": "string", "title": "Host", "default": "h"}}}
	kind, schema := w.register("rec-inner", inner)
	sum := "sha256:b729b765d60d2371665eeed9f8c0c71d2f50d2a1138df37fb23f0328d822cecd"
	equal(t, "checksum", w.get("/block_schemas/" + schema)["checksum"], sum)
	again := w.post(200, "/block_schemas/", object{"block_type_id": kind, "fields": inner})
	equal(t, "the same again", again["id"], schema)
	other := w.post(201, "/block_schemas/", object{"block_type_id": kind, "fields": inner, "version": "2"})
	equal(t, "another version", []any{other["checksum"], other["id"] == schema}, []any{sum, false})
	equal(t, "without a version, the newest", w.get("/block_schemas/checksum/" + sum)["id"], other["id"])
	empty := w.post(201, "/block_schemas/", object{"block_type_id": kind, "fields": object{}})
	equal(t, "no fields", []any{empty["checksum"], empty["fields"]},
		[]any{"sha256:f8e6e96abbc38504d4e9c99fc57281fa0026bede1fa42db79f22f984501710f4", object{"block_schema_references": object{}}})

	ref := object{"block_schema_checksum": sum, "block_type_slug": "rec-inner"}
	_, outer := w.register("rec-outer", object{"title": "Outer", "type": "object", "description": "Outer block for recording.", "required": []string{"inner"},
		"secret_fields": []string{"inner.key", "opt.key"}, "block_schema_references": object{"inner": ref, "opt": ref}, "definitions": object{"Inner": inner},
		"properties": object{"inner": object{"$ref": "#/definitions/Inner"}, "n": object{"default": 1, "description": "count", "title": "N", "type": "integer"},
			"opt": object{"anyOf": []object{{"$ref": "#/definitions/Inner"}, {"type": "null"}}, "default": nil}}}, "read-path")
	got := w.get("/block_schemas/" + outer)
	equal(t, "checksum with a block inside", got["checksum"], "sha256:5c9c65e15f4264c83b39a4ca69ed0ba4c3c7274c9643d142200c457c21096f81")
	equal(t, "its references", at(got, "fields", "block_schema_references", "opt", "block_type_slug"), "rec-inner")
	equal(t, "its definitions", at(got, "fields", "definitions", "Inner", "title"), "Inner")

	// A schema that refers to one nobody has registered yet brings it along.
	nested := object{"title": "New", "block_type_slug": "rec-new", "block_schema_references": object{}}
	w.post(201, "/block_types/", object{"name": "New", "slug": "rec-new"})
	ref = object{"block_schema_checksum": "sha256:unknown", "block_type_slug": "rec-new"}
	w.register("rec-parent", object{"properties": object{"x": object{"$ref": "#/definitions/New"}}, "block_schema_references": object{"x": []object{ref}}, "definitions": object{"New": nested}})
	rows := w.list("/block_schemas/filter", object{"block_schemas": object{"block_type_id": object{"any_": []any{w.get("/block_types/slug/rec-new")["id"]}}}})
	equal(t, "nested", at(rows[0], "fields", "title"), "New")

	for _, c := range []struct {
		status int
		body   any
	}{
		{422, object{}}, {422, `[]`}, {422, `{bad`}, {422, object{"block_type_id": kind, "fields": 1}}, {422, object{"block_type_id": kind, "capabilities": "x"}},
		{404, object{"block_type_id": "00000000-0000-4000-8000-000000000000", "fields": object{}}},
		{409, object{"block_type_id": kind, "fields": object{"block_schema_references": object{"x": object{"block_type_slug": "rec-nobody", "block_schema_checksum": "y"}}}}},
	} {
		w.do(c.status, "POST", "/block_schemas/", c.body)
	}
	w.do(204, "DELETE", "/block_schemas/"+schema, nil)
	equal(t, "deleted", w.do(404, "GET", "/block_schemas/"+schema, nil), object{"detail": "Block schema not found"})
	w.do(404, "DELETE", "/block_schemas/"+schema, nil)
}

func TestBlockTypes(t *testing.T) {
	w := blocks(t)
	kind := w.post(201, "/block_types/", object{"name": "Rec", "slug": "rec"})
	shaped(t, "block_type", kind)
	for _, c := range []struct {
		status int
		body   any
		detail any
	}{
		{409, object{"name": "Rec", "slug": "rec2"}, `Block type with name "Rec" already exists`},
		{409, object{"name": "Rec2", "slug": "rec"}, `Block type with name "Rec2" already exists`},
		{403, object{"name": "Prefect Thing", "slug": "pt"}, "Block type names beginning with 'Prefect' are reserved."},
		{422, object{"name": "x/y", "slug": "x"}, nil}, {422, object{"name": "c", "slug": "Bad Slug"}, nil}, {422, object{"name": "", "slug": "x"}, nil}, {422, object{}, nil},
	} {
		equal(t, fmt.Sprint(c.body), at(w.do(c.status, "POST", "/block_types/", c.body), "detail"), c.detail)
	}
	path := "/block_types/" + kind["id"].(string)
	w.do(204, "PATCH", path, object{"description": "d", "logo_url": "u"})
	w.do(204, "PATCH", path, object{"logo_url": nil})
	got := w.get(path)
	equal(t, "changed", []any{got["description"], got["logo_url"]}, []any{"d", nil})
	w.do(204, "PATCH", path, object{"description": "d"})
	equal(t, "no change", w.get(path)["updated"], got["updated"])
	w.do(404, "PATCH", "/block_types/00000000-0000-4000-8000-000000000000", object{})
	equal(t, "no such slug", w.do(404, "GET", "/block_types/slug/nope", nil), object{"detail": "Block type not found"})
	w.do(404, "GET", "/block_types/slug/nope/block_documents", nil)
	w.do(404, "GET", "/block_types/not-a-uuid", nil)
	w.do(204, "DELETE", path, nil)
	w.do(404, "DELETE", path, nil)
}

func TestBlockDocuments(t *testing.T) {
	w := blocks(t)
	kind, schema := w.register("box", object{"secret_fields": []string{"s", "headers.*", "deep.er.s"}})
	doc := func(name string, data object) object {
		return object{"name": name, "data": data, "block_schema_id": schema, "block_type_id": kind}
	}
	d := w.post(201, "/block_documents/", doc("one", object{"s": "hush", "n": 1.50, "big": "x", "headers": object{"a": "b", "c": object{"d": 1}}, "deep": object{"er": object{"s": object{"k": "v"}, "t": 1}}}))
	shaped(t, "block_document", d)
	hidden := object{"s": "********", "n": 1.5, "big": "x", "headers": object{"a": "********", "c": object{"d": "********"}}, "deep": object{"er": object{"s": object{"k": "********"}, "t": 1}}}
	equal(t, "created", d["data"], hidden)
	id := d["id"].(string)
	path := "/block_documents/" + id
	for _, read := range []string{path, "/block_types/slug/box/block_documents/name/one", path + "?include_secrets=false"} {
		equal(t, read, w.get(read)["data"], hidden)
	}
	open := func(key ...any) any { return at(w.get(path+"?include_secrets=true"), append([]any{"data"}, key...)...) }
	equal(t, "secrets on request", []any{open("s"), open("headers", "a"), open("deep", "er", "s", "k")}, "[hush b v]")
	equal(t, "by type", at(w.list("/block_types/slug/box/block_documents?offset=&limit=&include_secrets=true", nil)[0], "data", "s"), "hush")
	equal(t, "in a list", at(w.list("/block_documents/filter", object{"include_secrets": true})[0], "data", "s"), "hush")
	equal(t, "in a list, masked", at(w.list("/block_documents/filter", object{"include_secrets": nil})[0], "data", "s"), "********")

	// What is read masked may be written back, changed in part or as a whole.
	w.do(204, "PATCH", path, object{"data": object{"s": "********", "n": 2}})
	equal(t, "kept", []any{open("s"), open("n"), open("big")}, "[hush 2 x]")
	w.do(204, "PATCH", path, object{"data": object{"headers": object{"a": "********", "new": "y"}}, "merge_existing_data": true})
	equal(t, "kept within", []any{open("headers"), open("s")}, []any{object{"a": "b", "new": "y"}, "hush"})
	w.do(204, "PATCH", path, object{"data": object{"s": "********", "big": "********"}, "merge_existing_data": false})
	equal(t, "replaced", open(), object{"s": "hush", "big": "********"})
	w.do(204, "PATCH", path, object{"data": object{"n": 3}, "merge_existing_data": false})
	equal(t, "gone", open(), object{"n": 3})
	w.do(204, "PATCH", path, object{"block_schema_id": nil})
	_, foreign := w.register("foreign", object{})
	for _, c := range []struct {
		status int
		body   object
	}{{400, object{"block_schema_id": foreign}}, {409, object{"block_schema_id": "00000000-0000-4000-8000-000000000000"}}, {422, object{"data": 1}}} {
		w.do(c.status, "PATCH", path, c.body)
	}
	equal(t, "unknown", w.do(404, "PATCH", "/block_documents/00000000-0000-4000-8000-000000000000", object{}), object{"detail": "Block document not found"})

	for _, c := range []struct {
		status int
		change object
		detail any
	}{
		{409, object{"name": "one"}, "Block already exists"},
		{422, object{"name": "Bad Name"}, nil}, {422, object{"name": nil}, nil}, {422, object{"data": "x"}, nil}, {422, object{"block_type_id": "x"}, nil},
		{422, object{"data": object{"r": object{"$ref": object{}}}}, nil},
		{409, object{"block_schema_id": "00000000-0000-4000-8000-000000000000"}, "Block schema 00000000-0000-4000-8000-000000000000 does not exist; register the block first."},
		{409, object{"data": object{"r": object{"$ref": object{"block_document_id": "00000000-0000-4000-8000-000000000000"}}}},
			`The block document 00000000-0000-4000-8000-000000000000, which "r" refers to, does not exist.`},
	} {
		body := doc("two", object{})
		maps.Copy(body, c.change)
		equal(t, fmt.Sprint(c.change), at(w.do(c.status, "POST", "/block_documents/", body), "detail"), c.detail)
	}
	w.do(422, "POST", "/block_documents/", object{})
	w.do(422, "POST", "/block_documents/", `[]`)
	anonymous := doc("", object{})
	anonymous["is_anonymous"] = true
	delete(anonymous, "name")
	name, _ := w.post(201, "/block_documents/", anonymous)["name"].(string)
	equal(t, "anonymous", name[:10], "anonymous-")
	equal(t, "listed", names(w.list("/block_documents/filter", object{}), "name"), "[one]")
	equal(t, "counted", w.do(200, "POST", "/block_documents/count", object{}), 1)
	equal(t, "both counted", w.do(200, "POST", "/block_documents/count", object{"block_documents": object{"is_anonymous": nil}}), 2)
	equal(t, "anonymous ones", names(w.list("/block_documents/filter", object{"block_documents": object{"is_anonymous": object{"eq_": true}}}), "name"), []string{name})
	w.do(422, "POST", "/block_documents/filter", object{"block_documents": object{"bogus": 1}})
	w.do(422, "POST", "/block_documents/filter", object{"sort": "BOGUS"})
	w.do(204, "DELETE", path, nil)
	w.do(404, "DELETE", path, nil)
	w.do(404, "GET", path, nil)
}

func TestBlocksWithinBlocks(t *testing.T) {
	w := blocks(t)
	kind, schema := w.register("box", object{"secret_fields": []string{"s", "in.s"}})
	put := func(name string, data object) string {
		return w.post(201, "/block_documents/", object{"name": name, "data": data, "block_schema_id": schema, "block_type_id": kind})["id"].(string)
	}
	to := func(id string) object { return object{"$ref": object{"block_document_id": id}} }
	core := put("core", object{"s": "deep"})
	inner := put("inner", object{"s": "hush", "x": to(core)})
	outer := put("outer", object{"in": to(inner), "n": 1})
	path := "/block_documents/" + outer
	equal(t, "in place", w.get(path + "?include_secrets=true")["data"], object{"n": 1, "in": object{"s": "hush", "x": object{"s": "deep"}}})
	got := w.get(path)
	equal(t, "masked in place", got["data"], object{"n": 1, "in": object{"s": "********", "x": object{"s": "********"}}})
	equal(t, "reference", []any{at(got, "block_document_references", "in", "block_document", "id"), at(got, "block_document_references", "in", "block_document", "name"),
		at(got, "block_document_references", "in", "block_document", "block_type", "slug"), at(got, "block_document_references", "in", "block_document", "block_document_references", "x", "block_document", "id")},
		[]any{inner, "inner", "box", core})

	// A change of another key, or of nothing at all, keeps the reference.
	w.do(204, "PATCH", path, object{"data": object{"n": 2}})
	w.do(204, "PATCH", path, object{"data": w.get(path)["data"], "merge_existing_data": false})
	equal(t, "still refers", at(w.get(path), "block_document_references", "in", "block_document", "id"), inner)
	w.do(204, "PATCH", "/block_documents/"+inner, object{"data": object{"s": "new"}})
	equal(t, "follows", at(w.get(path+"?include_secrets=true"), "data", "in", "s"), "new")
	w.do(409, "PATCH", "/block_documents/"+core, object{"data": object{"x": to(outer)}})
	w.do(409, "PATCH", "/block_documents/"+core, object{"data": object{"x": to(core)}})
	w.do(204, "PATCH", path, object{"data": object{"in": object{"s": "own"}}})
	got = w.get(path + "?include_secrets=true")
	equal(t, "own data instead", []any{at(got, "data", "in"), got["block_document_references"]}, []any{object{"s": "own"}, object{}})
	w.do(204, "PATCH", path, object{"data": object{"in": to(inner)}})
	w.do(204, "DELETE", "/block_documents/"+inner, nil)
	equal(t, "without what was deleted", w.get(path)["data"], object{"n": 2})
}

func TestDefaultResultStorage(t *testing.T) {
	w := blocks(t)
	kind := w.get("/block_types/slug/local-file-system")["id"]
	schema := w.get("/block_schemas/checksum/sha256:80dd31d7cc72fba9f3005c9692797050a118b5b24f3354df05ec1b7de9f0abbd")["id"].(string)
	doc := w.post(201, "/block_documents/", object{"name": "results", "data": object{"basepath": "/x"}, "block_schema_id": schema, "block_type_id": kind})["id"]
	other, otherSchema := w.register("box", object{})
	useless := w.post(201, "/block_documents/", object{"name": "x", "data": object{}, "block_schema_id": otherSchema, "block_type_id": other})["id"]
	is := func(want any) {
		t.Helper()
		equal(t, "storage", w.get("/admin/storage"), object{"default_result_storage_block_id": want})
	}
	set := func(status int, id any) any {
		t.Helper()
		return w.do(status, "PUT", "/admin/storage", object{"default_result_storage_block_id": id})
	}
	is(nil)
	equal(t, "set", set(200, doc), object{"default_result_storage_block_id": doc})
	is(doc)
	equal(t, "useless", at(set(422, useless), "detail"), fmt.Sprintf("Block document %s cannot be used for result storage.", useless))
	set(404, "00000000-0000-4000-8000-000000000000")
	set(422, nil)
	set(422, "x")
	w.do(422, "PUT", "/admin/storage", object{})
	is(doc)
	w.do(204, "DELETE", "/admin/storage", nil)
	w.do(204, "DELETE", "/admin/storage", nil)
	is(nil)
	set(200, doc)
	w.do(204, "DELETE", "/block_documents/"+doc.(string), nil)
	is(nil)
}
