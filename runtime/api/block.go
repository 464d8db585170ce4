package api

import (
	"context"
	"net/http"

	"github.com/flowlite/flowlite/runtime/core"
)

func (a *API) blockTypes() group {
	return group{"/block_types", []op{
		create(a.Blocks.CreateBlockType, need("name", "slug")).runs(),
		update("Block type", a.Blocks.UpdateBlockType),
		read("Block type", a.store.BlockType).runs(),
		remove("Block type", a.Blocks.DeleteBlockType),
		get("/slug/{slug}", func(ctx context.Context, in *bySlug) (*core.BlockType, error) {
			t, err := a.store.BlockTypeBySlug(ctx, in.Slug)
			return t, named("Block type", err)
		}).runs(),
		get("/slug/{slug}/block_documents", a.blockDocumentsOfType).runs(),
		get("/slug/{slug}/block_documents/name/{name}", func(ctx context.Context, in *blockName) (*core.BlockDocument, error) {
			d, err := a.Blocks.BlockDocumentByName(ctx, in.Slug, in.Name, in.Secrets)
			return d, named("Block document", err)
		}).runs(),
		filter[blockQuery]("/filter", nil, a.store.BlockTypes).runs(),
		post("/install_system_block_types", func(ctx context.Context, _ *struct{}) (any, error) {
			return nil, a.Blocks.RegisterBlocks(ctx)
		}),
	}}
}

func (a *API) blockSchemas() group {
	return group{"/block_schemas", []op{
		route("POST", "/", http.StatusCreated, a.createBlockSchema, need("block_type_id")).runs(),
		read("Block schema", a.store.BlockSchema).runs(),
		remove("Block schema", a.Blocks.DeleteBlockSchema),
		get("/checksum/{checksum}", func(ctx context.Context, in *struct {
			Checksum string `path:"checksum"`
			Version  string `query:"version"`
		}) (*core.BlockSchema, error) {
			s, err := a.store.BlockSchemaByChecksum(ctx, in.Checksum, in.Version)
			return s, named("Block schema", err)
		}).runs(),
		filter[blockQuery]("/filter", nil, a.store.BlockSchemas).runs(),
	}}
}

func (a *API) blockDocuments() group {
	return group{"/block_documents", []op{
		create(a.Blocks.CreateBlockDocument, need("block_schema_id", "block_type_id")).runs(),
		update("Block document", a.Blocks.UpdateBlockDocument),
		get("/{id}", func(ctx context.Context, in *struct {
			ID      core.UUID `path:"id"`
			Secrets bool      `query:"include_secrets"`
		}) (*core.BlockDocument, error) {
			d, err := a.Blocks.BlockDocument(ctx, in.ID, in.Secrets)
			return d, named("Block document", err)
		}).runs(),
		remove("Block document", a.Blocks.DeleteBlockDocument),
		post("/filter", a.filterBlockDocuments, strict).runs(),
		count[blockQuery]("/count", a.store.CountBlockDocuments).runs(),
	}}
}

func (a *API) blockCapabilities() group {
	return group{"/block_capabilities", []op{
		get("/", func(ctx context.Context, _ *struct{}) ([]string, error) { return rows(a.store.BlockCapabilities(ctx)) }).runs(),
	}}
}

type bySlug struct {
	Slug string `path:"slug"`
}

type blockName struct {
	Slug    string `path:"slug"`
	Name    string `path:"name"`
	Secrets bool   `query:"include_secrets"`
}

type blockQuery struct {
	core.BlockFilters
	pageQuery
}

func (q blockQuery) filter() core.BlockFilters { return q.BlockFilters }

func (a *API) createBlockSchema(ctx context.Context, in *withBody[core.BlockSchemaCreate]) (*core.BlockSchema, error) {
	s, created, err := a.Blocks.CreateBlockSchema(ctx, in.Body)
	if err == nil && !created {
		setStatus(ctx, http.StatusOK)
	}
	return s, err
}

func (a *API) blockDocumentsOfType(ctx context.Context, in *struct {
	Slug    string `path:"slug"`
	Secrets bool   `query:"include_secrets"`
}) ([]*core.BlockDocument, error) {
	t, err := a.store.BlockTypeBySlug(ctx, in.Slug)
	if err != nil {
		return nil, named("Block type", err)
	}
	of := &core.BlockDocumentFilter{BlockTypeID: &core.IDFilter{Any: []core.UUID{t.ID}}}
	return rows(a.Blocks.BlockDocuments(ctx, core.BlockFilters{Documents: of}, core.Page{}, in.Secrets))
}

func (a *API) filterBlockDocuments(ctx context.Context, in *withBody[struct {
	blockQuery
	Secrets bool `json:"include_secrets"`
}]) ([]*core.BlockDocument, error) {
	page, none, err := in.Body.page(core.BlockDocumentSorts)
	if err != nil || none {
		return []*core.BlockDocument{}, err
	}
	return rows(a.Blocks.BlockDocuments(ctx, in.Body.BlockFilters, page, in.Body.Secrets))
}
