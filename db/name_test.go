package db_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"
)

// Runs are found by a part of their names, page by page, whether the newest
// runs alone fill the page or not.
func TestFlowRunsByPartOfName(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			ctx, url := t.Context(), e.URL(t)
			if err := db.Seed(ctx, url, db.SeedSize{FlowRuns: 800, Days: 3}, func(string, int, int) {}); err != nil {
				t.Fatal(err)
			}
			s := open(t, url)
			defer s.Close()
			all, err := s.FlowRuns(ctx, core.Filters{}, core.Page{Limit: 1000})
			if err != nil {
				t.Fatal(err)
			}
			slices.SortFunc(all, func(a, b *core.FlowRun) int { return bytes.Compare(b.ID[:], a.ID[:]) })
			for _, part := range []string{"a", "E-B", all[700].Name, "nobody"} {
				for _, only := range []*core.StateFilter{nil, {Type: &core.StateTypeFilter{Any: []core.StateType{core.Failed}}}} {
					var want []string
					for _, r := range all {
						if strings.Contains(r.Name, strings.ToLower(part)) && (only == nil || r.StateType == core.Failed) {
							want = append(want, r.ID.String())
						}
					}
					f := core.Filters{FlowRuns: &core.FlowRunFilter{Name: &core.TextFilter{Like: &part}, State: only}}
					for _, p := range []core.Page{{Limit: 3}, {Limit: 3, Offset: 2, Sort: "ID_DESC"}, {Limit: 1000}, {}} {
						runs, err := s.FlowRuns(ctx, f, p)
						if err != nil {
							t.Fatal(err)
						}
						page := want[min(p.Offset, len(want)):]
						if p.Limit == 0 {
							p.Limit = core.MaxLimit
						}
						page = page[:min(p.Limit, len(page))]
						if got := idsOf(runs); !slices.Equal(got, page) {
							t.Errorf("%q %+v: %d runs, want %d", part, p, len(got), len(page))
						}
					}
				}
			}
		})
	}
}

func idsOf(runs []*core.FlowRun) []string {
	ids := []string{}
	for _, r := range runs {
		ids = append(ids, r.ID.String())
	}
	return ids
}
