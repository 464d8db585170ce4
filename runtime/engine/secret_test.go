package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

func (f *fake) BlockDocumentByName(_ context.Context, kind, name string, secrets bool) (*core.BlockDocument, error) {
	if kind+"/"+name != "secret/db" || !secrets {
		return nil, core.NotFound("Block document")
	}
	return &core.BlockDocument{Data: core.JSON(`{"value":{"user":"me","password":"p<w>\"d\nline two"}}`),
		BlockSchema: &core.BlockSchema{Fields: core.JSON(`{"secret_fields":["value"]}`)}}, nil
}

func TestSecretsAreHidden(t *testing.T) {
	f, e := setup()
	var terminal bytes.Buffer
	log := slog.New(NewHandler(slog.NewTextHandler(&terminal, nil), false))
	fail := taskOf("fail", func(context.Context, any) (any, error) { return nil, errors.New("cannot log in as p<w>\"d") }, TaskOptions{})
	out, err := e.Run(t.Context(), flowOf(func(ctx context.Context) (any, error) {
		v, err := e.Secret(ctx, "db")
		if err != nil {
			return nil, err
		}
		log.InfoContext(ctx, "read "+string(v), "line", "line two", slog.Group("g", "err", errors.New("not line two")))
		log.InfoContext(ctx, fmt.Sprintf("quoted %q", "p<w>\"d"))
		_, err = Call(ctx, fail, nil)
		return nil, fmt.Errorf("line two: %w", err)
	}, FlowOptions{}), nil)
	if err != nil || out.State.Type != core.Failed {
		t.Fatal(out, err)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	said := terminal.String() + core.Deref(f.runs[out.FlowRun.ID].State.Message) + core.Deref(f.task("fail").State.Message)
	for _, l := range f.logs {
		said += "\n" + l.Message
	}
	for _, word := range []string{"line two", `p<w>`, `p\u003cw`} {
		if strings.Contains(said, word) {
			t.Errorf("%q was said:\n%s", word, said)
		}
	}
	for _, want := range []string{`read {"password":"********","user":"me"}`, "cannot log in as ********", "not ********", "quoted \"********\""} {
		if !strings.Contains(said, want) {
			t.Errorf("%q was not said:\n%s", want, said)
		}
	}
	if _, err := e.Secret(t.Context(), "none"); !core.IsNotFound(err) {
		t.Error(err)
	}
}
