package worker

import (
	"context"
	"os"
	"slices"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// references resolves what job variables name outside of themselves:
//
//	{{ prefect.variables.NAME }}
//	{{ prefect.blocks.TYPE.NAME }}, or one of its fields: ….NAME.FIELD.FIELD
//	{{ $NAME }}, of the worker's environment
//	{"$ref": {"block_document_id": ID}} in place of a value: that block's data
type references struct {
	orch    core.DataOrchestrator
	ctx     context.Context
	secrets []string // what of it logs must not show
}

func (r *references) lookup(name string) (v any, known bool, err error) {
	switch {
	case strings.HasPrefix(name, "$"):
		text, ok := os.LookupEnv(name[1:])
		if slices.Contains(runOnly, name[1:]) || core.Withheld(name[1:]) {
			return nil, false, nil
		}
		return text, ok, nil
	case strings.HasPrefix(name, "prefect.variables."):
		v, err = r.variable(strings.TrimPrefix(name, "prefect.variables."))
	case strings.HasPrefix(name, "prefect.blocks."):
		v, err = r.block(strings.TrimPrefix(name, "prefect.blocks."))
	case strings.HasPrefix(name, byDocument):
		v, err = r.document(strings.TrimPrefix(name, byDocument))
	default:
		err = core.Errorf(
			core.EInvalid,
			"the job variables name %q, which is nothing; there are prefect.variables.NAME and prefect.blocks.TYPE.NAME",
			name,
		)
	}
	return v, err == nil, err
}

func (r *references) variable(name string) (v any, err error) {
	rec, err := r.orch.VariableByName(r.ctx, name)
	if core.IsNotFound(err) {
		return nil, core.Errorf(
			core.ENotFound,
			"the job variables name the variable %q, which does not exist; set it: flowlite variable set %s VALUE",
			name,
			core.ShellWord(name),
		)
	}
	if err != nil {
		return nil, err
	}
	_ = core.Unmarshal(rec.Value, &v)
	return v, nil
}

func (r *references) block(path string) (any, error) {
	parts := strings.Split(path, ".")
	if len(parts) < 2 {
		return nil, core.Errorf(
			core.EInvalid,
			"the job variables name prefect.blocks.%s, which lacks the block's name; write prefect.blocks.TYPE.NAME",
			path,
		)
	}
	kind, name, fields := parts[0], parts[1], parts[2:]
	doc, err := r.orch.BlockDocumentByName(r.ctx, kind, name, true)
	if core.IsNotFound(err) {
		how := "save it first"
		if kind == core.SecretBlock {
			how = "set it: " + core.ShellCommand("flowlite", "secret", "set", name)
		}
		return nil, core.Errorf(core.ENotFound, "the job variables name the block %s/%s, which does not exist; %s", kind, name, how)
	}
	if err != nil {
		return nil, err
	}
	r.secrets = append(r.secrets, doc.SecretWords()...)
	data := doc.Data.Map()
	var v any = data
	// Blocks that are one value stand for it.
	if value, only := data["value"]; only && len(data) == 1 && (len(fields) == 0 || fields[0] != "value") {
		v = value
	}
	for _, f := range fields {
		m, _ := v.(map[string]any)
		x, ok := m[f]
		if !ok {
			return nil, core.Errorf(
				core.ENotFound,
				"the job variables name %s of the block %s/%s, which has no such field",
				strings.Join(fields, "."),
				kind,
				name,
			)
		}
		v = x
	}
	return v, nil
}

// byDocument begins the name under which expand asks for a block by its id.
const byDocument = "prefect.block_documents."

// documentOf is that name for {"$ref": {"block_document_id": ID}}.
func documentOf(v map[string]any) (name string, ok bool) {
	ref, _ := v["$ref"].(map[string]any)
	id, ok := ref["block_document_id"].(string)
	return byDocument + id, ok
}

func (r *references) document(text string) (any, error) {
	id, err := core.ParseUUID(text)
	if err != nil {
		return nil, core.Errorf(core.EInvalid, "the job variables name the block document %q, which is no id", text)
	}
	doc, err := r.orch.BlockDocument(r.ctx, id, true)
	if core.IsNotFound(err) {
		return nil, core.Errorf(core.ENotFound, "the job variables name the block document %s, which does not exist; choose another block", id)
	}
	if err != nil {
		return nil, err
	}
	r.secrets = append(r.secrets, doc.SecretWords()...)
	return doc.Data.Map(), nil
}
