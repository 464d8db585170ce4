package worker

import (
	"reflect"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

func TestReferences(t *testing.T) {
	t.Setenv("WORKER_HAS", "it")
	t.Setenv("FLOWLITE_ENCRYPTION_KEY", "never")
	refs := &references{orch: newFake(), ctx: t.Context()}
	for text, want := range map[string]any{
		"{{ prefect.variables.greeting }}":                                    "salve",
		"{{ prefect.blocks.secret.api-key }}":                                 "s3cret",
		"Bearer {{ prefect.blocks.secret.api-key }}!":                         "Bearer s3cret!",
		"{{ prefect.blocks.secret.api-key.value }}":                           "s3cret",
		"{{ prefect.blocks.creds.db.login.password }}":                        "hunter2",
		"{{ prefect.blocks.creds.db.login }}":                                 map[string]any{"password": "hunter2", "user": "me"},
		"{{prefect.blocks.creds.db.host}}:{{ prefect.blocks.creds.db.port }}": "localhost:5432",
		"{{ $WORKER_HAS }}":                                                   "it",
		"<{{ $WORKER_LACKS }}{{ $FLOWLITE_ENCRYPTION_KEY }}>":                 "<>",
	} {
		got, _, err := expand(text, refs.lookup)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for text, hint := range map[string]string{
		"{{ prefect.variables.none }}":          "flowlite variable set none",
		"{{ prefect.blocks.secret.none }}":      "flowlite secret set none",
		"{{ prefect.blocks.other.none }}":       "save it first",
		"{{ prefect.blocks.secret }}":           "prefect.blocks.TYPE.NAME",
		"{{ prefect.blocks.creds.db.login.x }}": "no such field",
		"{{ prefect.bogus }}":                   "which is nothing",
	} {
		if _, _, err := expand(text, refs.lookup); err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("%s: %v", text, err)
		}
	}
	mask := core.Masker(refs.secrets)
	if got := mask.Replace("hunter2 at localhost with s3cret"); got != "******** at localhost with ********" {
		t.Error(got)
	}
	ref := func(id string) any {
		return map[string]any{"creds": map[string]any{"$ref": map[string]any{"block_document_id": id}}}
	}
	if got, _, err := expand(ref(credsID.String()), refs.lookup); err != nil || !reflect.DeepEqual(got, map[string]any{"creds": map[string]any{"token": "by id"}}) {
		t.Error(got, err)
	}
	for id, hint := range map[string]string{"x": "is no id", core.NewID().String(): "does not exist"} {
		if _, _, err := expand(ref(id), refs.lookup); err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("%s: %v", id, err)
		}
	}
	list, _, err := expand([]any{"a", "{{ $WORKER_LACKS }}", map[string]any{"k": "{{ $WORKER_HAS }}"}}, refs.lookup)
	if err != nil || !reflect.DeepEqual(list, []any{"a", map[string]any{"k": "it"}}) {
		t.Error(list, err)
	}
}
