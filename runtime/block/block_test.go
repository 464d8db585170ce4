package block_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/local"
	"github.com/flowlite/flowlite/runtime/local/localtest"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/seal"
)

func secret(h *localtest.Fixture, name string) string {
	h.T.Helper()
	d, err := h.BlockDocumentByName(h.Ctx, core.SecretBlock, name, true)
	if err != nil {
		return string(core.CodeOf(err)) + ": " + err.Error()
	}
	return string(d.Data)
}

func TestKeysAreChanged(t *testing.T) { localtest.OnEngines(t, changeKeys) }

func changeKeys(t *testing.T, h *localtest.Fixture) {
	key := func(c string) string { return base64.StdEncoding.EncodeToString([]byte(strings.Repeat(c, 32))) }
	with := func(keys string) {
		ring, err := seal.Parse("the test", keys)
		if err != nil {
			t.Fatal(err)
		}
		h.Service = local.New(local.Config{Store: h.Store, Bus: h.Bus, Log: slog.New(slog.DiscardHandler), Sealer: ring})
		if err := h.RegisterBlocks(h.Ctx); err != nil {
			t.Fatal(err)
		}
	}
	with(key("a"))
	for _, name := range []string{"one", "two"} {
		if err := h.SetSecret(h.Ctx, name, core.JSON(`"hush"`)); err != nil {
			t.Fatal(err)
		}
	}
	before, _ := h.Store.BlockDocumentByName(h.Ctx, core.SecretBlock, "one")
	with(key("b") + "," + key("a"))
	after, _ := h.Store.BlockDocumentByName(h.Ctx, core.SecretBlock, "one")
	if after.Sealed == before.Sealed || after.Updated != before.Updated || secret(h, "one") != `{"value":"hush"}` {
		t.Fatal(after, secret(h, "one"))
	}
	with(key("b")) // the old key is gone
	if got := secret(h, "two"); got != `{"value":"hush"}` {
		t.Fatal(got)
	}
	with(key("c")) // and so is the new one
	if got := secret(h, "one"); !strings.HasPrefix(got, "conflict: block document ") || !strings.Contains(got, "put that key back") {
		t.Fatal(got)
	}
	list := localtest.Must(h.BlockDocuments(h.Ctx, core.BlockFilters{}, core.Page{}, false))(t)
	if len(list) != 2 || string(list[0].Data) != "{}" {
		t.Fatal(list)
	}
	err := h.UpdateBlockDocument(h.Ctx, list[0].ID, core.BlockDocumentUpdate{Data: core.Some(map[string]core.JSON{"value": core.JSON(`1`)})})
	if core.CodeOf(err) != core.EConflict { // it would have to be merged with what cannot be read
		t.Fatal(err)
	}
	if err := h.SetSecret(h.Ctx, "one", core.JSON(`"again"`)); err != nil {
		t.Fatal(err)
	}
	if got := secret(h, "one"); got != `{"value":"again"}` {
		t.Fatal(got)
	}
	if err := h.DeleteBlockDocument(h.Ctx, localtest.Must(h.Store.BlockDocumentByName(h.Ctx, core.SecretBlock, "two"))(t).ID); err != nil {
		t.Fatal(err)
	}
}

func TestSecretsAreMasked(t *testing.T) { localtest.OnEngines(t, maskSecrets) }

func maskSecrets(t *testing.T, h *localtest.Fixture) {
	set := func(name, value string) {
		if err := h.SetSecret(h.Ctx, name, core.JSON(value)); err != nil {
			t.Fatal(err)
		}
	}
	said := func(text string) string {
		run := h.Is(localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: h.Flow().ID}))(t).ID, "Pending")
		if err := h.WriteLogs(h.Ctx, []core.LogCreate{{Name: "x", Message: text, FlowRunID: run.ID}}); err != nil {
			t.Fatal(err)
		}
		logs := localtest.Must(h.Store.Logs(h.Ctx, &core.LogFilter{FlowRunID: &core.IDFilter{Any: []core.UUID{run.ID}}}, core.Page{}))(t)
		res := localtest.Must(h.SetFlowRunState(h.Ctx, run.ID, core.StateCreate{Type: core.Failed, Message: &text}, true))(t)
		if got := core.Deref(res.State.Message); got != logs[0].Message {
			t.Errorf("the state says %q, the log %q", got, logs[0].Message)
		}
		_, err := h.AppendStream(h.Ctx, run.ID, "out", []core.StreamAppend{{Source: "s", Value: core.ToJSON(text)}})
		if err != nil {
			t.Fatal(err)
		}
		page := localtest.Must(h.StreamEntries(h.Ctx, run.ID, "out", 1, 0))(t)
		var got string
		if err := json.Unmarshal(page.Entries[0].Value, &got); err != nil || got != logs[0].Message {
			t.Errorf("the stream says %q, the log %q", got, logs[0].Message)
		}
		if err := h.SetStatus(h.Ctx, run.ID, "out", core.StatusSet{Value: core.ToJSON(text)}); err != nil {
			t.Fatal(err)
		}
		status := localtest.Must(h.FlowRunStatus(h.Ctx, run.ID, "out"))(t)
		if err := json.Unmarshal(status.Value, &got); err != nil || got != logs[0].Message {
			t.Errorf("the status says %q, the log %q", got, logs[0].Message)
		}
		return logs[0].Message
	}
	if got := said("s3cret"); got != "s3cret" {
		t.Fatal("before there is a secret: " + got)
	}
	set("text", `"s3cret"`)
	set("key", `"-----BEGIN-----\nabcdef\n-----END-----"`)
	set("login", `{"user": "root", "password": "p\"w<1>", "port": 5432}`)
	set("account", `"{\"type\": \"service\", \"private_key\": \"k€y/+ 1\\nk2&more\", \"ids\": [\"id-77\"]}"`)
	set("pin", `123456`)
	set("short", `"abc"`)
	set("nothing", `null`)
	for text, want := range map[string]string{
		"the s3cret is out":            "the ******** is out",
		"line abcdef of a key":         "line ******** of a key",
		`{"password": "p\"w<1>"}`:      `{"password": "********"}`,
		`{"p": "p\"w\u003c1\u003e"}`:   `{"p": "********"}`,
		"pin 123456, port 5432, abcd":  "pin ********, port 5432, abcd",
		"grassroots of root":           "grass********s of ********",
		"inner k€y/+ 1, id-77, k2&m":   "inner ********, ********, k2&m",
		"k2&more k2%26more azImbW9yZQ": "******** ******** ********",
		`{"k": "k\u20acy/+ 1"}`:        `{"k": "********"}`,
		"?k=k%E2%82%ACy%2F%2B+1":       "?k=********",
		"basic czNjcmV0":               "basic ********",
	} {
		if got := said(text); got != want {
			t.Errorf("%s: %s", text, got)
		}
	}
	set("text", `"changed"`)
	if got := said("s3cret changed"); got != "s3cret ********" {
		t.Error(got)
	}
	id := localtest.Must(h.Store.BlockDocumentByName(h.Ctx, core.SecretBlock, "text"))(t).ID
	if err := h.DeleteBlockDocument(h.Ctx, id); err != nil {
		t.Fatal(err)
	}
	if got := said("changed"); got != "changed" {
		t.Error(got)
	}
	// What another server writes is known a little later.
	other := local.New(local.Config{Store: h.Store, Bus: h.Bus, Log: slog.New(slog.DiscardHandler), Sealer: h.Sealer})
	if err := other.SetSecret(h.Ctx, "text", core.JSON(`"elsewhere"`)); err != nil {
		t.Fatal(err)
	}
	h.Later(time.Minute)
	if got := said("elsewhere"); got != "********" {
		t.Error(got)
	}
}

func TestDeploymentNeedsItsBlocks(t *testing.T) {
	h := localtest.Open(t, "sqlite::memory:")
	if err := h.SetSecret(h.Ctx, "x", core.JSON(`1`)); err != nil {
		t.Fatal(err)
	}
	doc := localtest.Must(h.Store.BlockDocumentByName(h.Ctx, core.SecretBlock, "x"))(t)
	create := core.DeploymentCreate{Name: "d", FlowID: h.Flow().ID, StorageDocumentID: core.Some(core.NewID())}
	if _, err := h.CreateDeployment(h.Ctx, create); core.CodeOf(err) != core.EConflict || !strings.Contains(err.Error(), "block document") {
		t.Fatal(err)
	}
	create.StorageDocumentID = core.Some(doc.ID)
	if d := localtest.Must(h.CreateDeployment(h.Ctx, create))(t); d.StorageDocumentID != doc.ID {
		t.Fatal(d)
	}
}

// Many clients register and change the same block at once.
func TestBlocksAtOnce(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		var wg sync.WaitGroup
		fail := func(err error) {
			if err != nil {
				t.Error(err)
			}
		}
		for range 8 {
			wg.Go(func() { fail(h.RegisterBlocks(h.Ctx)) })
		}
		wg.Wait()
		if n := len(localtest.Must(h.Store.BlockTypes(h.Ctx, core.BlockFilters{}, core.Page{}))(t)); n != 7 {
			t.Fatal(n, "types")
		}
		kind := localtest.Must(h.CreateBlockType(h.Ctx, core.BlockTypeCreate{Name: "Box", Slug: "box"}))(t)
		made := make([]bool, 8)
		var schema core.UUID
		for i := range made {
			wg.Go(func() {
				s, created, err := h.CreateBlockSchema(h.Ctx, core.BlockSchemaCreate{BlockTypeID: kind.ID, Fields: map[string]core.JSON{"title": core.JSON(`"Box"`)}})
				fail(err)
				made[i] = created
				if created {
					schema = s.ID
				}
			})
		}
		wg.Wait()
		if n := strings.Count(fmt.Sprint(made), "true"); n != 1 {
			t.Fatal(n, "say that they made the schema")
		}
		name := "shared"
		d := localtest.Must(h.CreateBlockDocument(h.Ctx, core.BlockDocumentCreate{Name: &name, BlockSchemaID: schema, BlockTypeID: kind.ID}))(t)
		for i := range 16 {
			wg.Go(func() {
				fail(h.UpdateBlockDocument(h.Ctx, d.ID, core.BlockDocumentUpdate{Data: core.Some(map[string]core.JSON{fmt.Sprintf("k%d", i): core.JSON("1")})}))
			})
		}
		wg.Wait()
		if got := localtest.Must(h.BlockDocument(h.Ctx, d.ID, true))(t).Data.Map(); len(got) != 16 {
			t.Fatal("changes were lost:", got)
		}
	})
}

// Secret fields of every type are masked, at any depth and in blocks that others
// refer to, in all texts that people see.
func TestSecretFieldsOfBlocksAreMasked(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		if err := h.RegisterBlocks(h.Ctx); err != nil {
			t.Fatal(err)
		}
		kind := localtest.Must(h.CreateBlockType(h.Ctx, core.BlockTypeCreate{Name: "Login", Slug: "login"}))(t)
		schema, _, err := h.CreateBlockSchema(h.Ctx, core.BlockSchemaCreate{BlockTypeID: kind.ID, Fields: map[string]core.JSON{
			"title": core.JSON(`"Login"`), "type": core.JSON(`"object"`), "properties": core.JSON(`{"user":{"type":"string"}}`),
			"secret_fields": core.JSON(`["password","inner.key","env.*"]`),
		}})
		if err != nil {
			t.Fatal(err)
		}
		save := func(name, data string, anonymous bool) core.UUID {
			t.Helper()
			c := core.BlockDocumentCreate{BlockTypeID: kind.ID, BlockSchemaID: schema.ID, IsAnonymous: anonymous}
			if err := json.Unmarshal([]byte(data), &c.Data); err != nil {
				t.Fatal(err)
			}
			if !anonymous {
				c.Name = &name
			}
			return localtest.Must(h.CreateBlockDocument(h.Ctx, c))(t).ID
		}
		inner := save("inner", `{"user":"visible","password":"p-inner"}`, false)
		save("outer", `{"password":"p-outer","inner":{"key":"p-nested","open":"visible"},"env":{"A":"p-dict","B":["p-list"]},"ref":{"$ref":{"block_document_id":"`+inner.String()+`"}}}`, false)
		save("", `{"password":"p-anonymous"}`, true)
		text := "visible p-inner p-outer p-nested p-dict p-list p-anonymous"
		want := "visible ******** ******** ******** ******** ******** ********"
		run := localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: h.Flow().ID}))(t)
		if err := h.WriteLogs(h.Ctx, []core.LogCreate{{Name: "x", Message: text, FlowRunID: run.ID}}); err != nil {
			t.Fatal(err)
		}
		logs := localtest.Must(h.Store.Logs(h.Ctx, &core.LogFilter{FlowRunID: &core.IDFilter{Any: []core.UUID{run.ID}}}, core.Page{}))(t)
		state := localtest.Must(h.SetFlowRunState(h.Ctx, run.ID, core.StateCreate{Type: core.Failed, Message: &text}, true))(t).State
		a := localtest.Must(h.CreateArtifact(h.Ctx, core.ArtifactCreate{Key: core.Ptr("k"), FlowRunID: run.ID, Description: &text,
			Data: core.ToJSON(text), Metadata: core.JSON(`{"b":1.0,"a":["` + text + `"]}`)}))(t)
		if err := h.UpdateArtifact(h.Ctx, a.ID, core.ArtifactUpdate{Data: core.Some(core.JSON(`[["` + text + `"]]`))}); err != nil {
			t.Fatal(err)
		}
		a = localtest.Must(h.Store.Artifact(h.Ctx, a.ID))(t)
		for what, got := range map[string]string{"log": logs[0].Message, "state": core.Deref(state.Message), "description": core.Deref(a.Description)} {
			if got != want {
				t.Errorf("%s: %s", what, got)
			}
		}
		if string(a.Data) != `[["`+want+`"]]` || a.Metadata.Map()["a"].([]any)[0] != want {
			t.Errorf("artifact: %s %s", a.Data, a.Metadata)
		}
	})
}

// A state's message has no secrets, whichever way the state comes.
func TestStateMessagesAreMaskedOnEveryWayIn(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		if err := h.SetSecret(h.Ctx, "word", core.JSON(`"s3cret-word"`)); err != nil {
			t.Fatal(err)
		}
		state := func() *core.StateCreate {
			return &core.StateCreate{Type: core.Failed, Message: core.Ptr("it was s3cret-word")}
		}
		flow := h.Flow().ID
		run := localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: flow, State: state()}))(t)
		task := localtest.Must(h.CreateTaskRun(h.Ctx, core.TaskRunCreate{FlowRunID: run.ID, TaskKey: "t", DynamicKey: "0", State: state()}))(t)
		other := localtest.Must(h.CreateTaskRun(h.Ctx, core.TaskRunCreate{FlowRunID: run.ID, TaskKey: "t", DynamicKey: "1"}))(t)
		set := localtest.Must(h.SetTaskRunState(h.Ctx, other.ID, *state(), true))(t)
		for way, s := range map[string]*core.State{"a new flow run": run.State, "a new task run": task.State, "set on a task run": set.State} {
			if got := core.Deref(s.Message); got != "it was ********" {
				t.Errorf("%s: %q", way, got)
			}
		}
	})
}

// TestSetSecretHidesTheValue: others may have registered schemas of the type that
// show the value, and have saved a block of the name with one.
func TestSetSecretHidesTheValue(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		if err := h.RegisterBlocks(h.Ctx); err != nil {
			t.Fatal(err)
		}
		kind := localtest.Must(h.Store.BlockTypeBySlug(h.Ctx, core.SecretBlock))(t)
		open, _, err := h.CreateBlockSchema(h.Ctx, core.BlockSchemaCreate{BlockTypeID: kind.ID, Fields: map[string]core.JSON{
			"title": core.JSON(`"Secret"`), "type": core.JSON(`"object"`), "properties": core.JSON(`{"value":{"type":"string"}}`), "block_type_slug": core.JSON(`"secret"`)}})
		if err != nil {
			t.Fatal(err)
		}
		localtest.Must(h.CreateBlockDocument(h.Ctx, core.BlockDocumentCreate{Name: core.Ptr("theirs"), BlockSchemaID: open.ID, BlockTypeID: kind.ID,
			Data: map[string]core.JSON{"value": core.JSON(`"bait"`)}}))(t)
		for _, name := range []string{"new", "theirs"} {
			if err := h.SetSecret(h.Ctx, name, core.JSON(`"hunter2-hunter2"`)); err != nil {
				t.Fatal(err)
			}
			d := localtest.Must(h.BlockDocumentByName(h.Ctx, core.SecretBlock, name, false))(t)
			if shown := string(core.ToJSON(d)); strings.Contains(shown, "hunter2") || !strings.Contains(shown, core.MaskedSecret) {
				t.Errorf("%s is shown as %s", name, shown)
			}
		}
	})
}
