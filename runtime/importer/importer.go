package importer

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// API is one of the two servers. runtime/client has it.
type API interface {
	Raw(ctx context.Context, method, path string, body any) (json.RawMessage, error)
}

// Config is what an import needs. Since is how far back runs are copied: zero
// copies none. Progress may be nil.
type Config struct {
	From, To API
	Since    time.Duration
	Progress func(kind string, done, total int)
	Now      func() time.Time
}

// Skip is a record that was not copied.
type Skip struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

// Part is what became of one kind of records. Kept were on the target already.
type Part struct {
	Kind    string `json:"kind"`
	Created int    `json:"created"`
	Kept    int    `json:"kept"`
	Skipped []Skip `json:"skipped"`
}

// importer holds what one kind must know of those before it.
type importer struct {
	Config
	ids   map[string]string // of the source's records, on the target
	parts []*Part
}

// Run copies kind after kind. The parts tell what was done, with an error too:
// then up to where it ended.
func Run(ctx context.Context, c Config) ([]*Part, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	i := &importer{Config: c, ids: map[string]string{}}
	var version string
	if err := i.get(ctx, c.From, "/admin/version", &version); err != nil {
		return nil, fmt.Errorf("ask the source for its version: %w", err)
	}
	if !strings.HasPrefix(version, "3.") {
		return nil, core.Errorf(core.EInvalid, "the source is Prefect %s; only servers of version 3 can be imported", version)
	}
	for _, step := range []struct {
		kind string
		run  func(context.Context, *Part) error
	}{
		{"flows", i.flows}, {"work pools", i.workPools}, {"work queues", i.workQueues}, {"variables", i.variables},
		{"block types", i.blockTypes}, {"block documents", i.blockDocuments},
		{"concurrency limits", i.limits}, {"tag limits", i.tagLimits},
		{"deployments", i.deployments}, {"automations", i.automations}, {"flow runs", i.runs},
	} {
		p := &Part{Kind: step.kind, Skipped: []Skip{}}
		i.parts = append(i.parts, p)
		if err := step.run(ctx, p); err != nil {
			return i.parts, fmt.Errorf("%s: %w", step.kind, err)
		}
	}
	return i.parts, nil
}

type object = map[string]any

// call decodes the answer, if out is wanted.
func call(ctx context.Context, to API, method, path string, body, out any) error {
	raw, err := to.Raw(ctx, method, path, body)
	if err != nil || out == nil || len(raw) == 0 {
		return err
	}
	if err := core.Unmarshal(raw, out); err != nil {
		return core.Errorf(core.EInvalid, "%s %s answered something else than expected (is it the address of an API?): %w", method, path, err)
	}
	return nil
}

func (i *importer) get(ctx context.Context, from API, path string, out any) error {
	return call(ctx, from, "GET", path, nil, out)
}

// all reads every page of a list.
func all(ctx context.Context, from API, path string, body object) ([]object, error) {
	var rows []object
	for {
		var page []object
		ask := object{"limit": core.MaxLimit, "offset": len(rows)}
		maps.Copy(ask, body)
		if err := call(ctx, from, "POST", path, ask, &page); err != nil {
			return nil, err
		}
		rows = append(rows, page...)
		if len(page) < core.MaxLimit {
			return rows, nil
		}
	}
}

func text(o object, key string) string {
	s, _ := o[key].(string)
	return s
}

// pick takes the keys of a record that its creation knows.
func pick(o object, keys ...string) object {
	out := object{}
	for _, k := range keys {
		if v, ok := o[k]; ok {
			out[k] = v
		}
	}
	return out
}

// each walks over records and tells how far it is. A record that the target
// refuses is skipped; anything else that fails ends the import.
func (i *importer) each(ctx context.Context, p *Part, rows []object, name func(object) string, copyOne func(object) error) error {
	for n, row := range rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := copyOne(row)
		switch code := core.CodeOf(err); {
		case err == nil:
		case slices.Contains([]core.Code{core.EInvalid, core.EBadRequest, core.EConflict, core.EForbidden, core.ENotFound}, code):
			p.skip(name(row), err.Error())
		default:
			return fmt.Errorf("%s: %w", name(row), err)
		}
		if i.Progress != nil {
			i.Progress(p.Kind, n+1, len(rows))
		}
	}
	return nil
}

func (p *Part) skip(name, why string) { p.Skipped = append(p.Skipped, Skip{name, why}) }

func byName(o object) string { return text(o, "name") }

// known notes that a source's record is one of the target's.
func (i *importer) known(source, target object) { i.ids[text(source, "id")] = text(target, "id") }

// copyNamed is the usual kind: a list, known by name, created with some keys.
func (i *importer) copyNamed(ctx context.Context, p *Part, list, create string, body func(object) (object, string)) error {
	rows, err := all(ctx, i.From, list, nil)
	if err != nil {
		return err
	}
	there, err := all(ctx, i.To, list, nil)
	if err != nil {
		return err
	}
	have := index(there, byName)
	return i.each(ctx, p, rows, byName, func(row object) error {
		if t, ok := have[byName(row)]; ok {
			p.Kept++
			i.known(row, t)
			return nil
		}
		values, why := body(row)
		if why != "" {
			p.skip(byName(row), why)
			return nil
		}
		var made object
		if err := call(ctx, i.To, "POST", create, values, &made); err != nil {
			return err
		}
		p.Created++
		i.known(row, made)
		return nil
	})
}

func index(rows []object, key func(object) string) map[string]object {
	m := make(map[string]object, len(rows))
	for _, r := range rows {
		m[key(r)] = r
	}
	return m
}

var uuids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// translate puts the target's ids for the source's, wherever they stand in v:
// automations name deployments within resource ids.
func (i *importer) translate(v any) any {
	switch v := v.(type) {
	case string:
		return uuids.ReplaceAllStringFunc(v, func(id string) string {
			if to, ok := i.ids[id]; ok {
				return to
			}
			return id
		})
	case []any:
		out := make([]any, len(v))
		for n := range v {
			out[n] = i.translate(v[n])
		}
		return out
	case object:
		out := make(object, len(v))
		for k := range v {
			out[k] = i.translate(v[k])
		}
		return out
	}
	return v
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
