package dbtest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// What people search for is found as they typed it: no character stands for
// others. Prefect's like_ keeps its wildcards.
func searches(s *suite) {
	names := []string{`50% done`, `500 done`, `a_b`, `axb`, `back\slash`, `backXslash`, `tab	bed`, `quo"ted`, `q'uote`, `[set]`, `*?`, `ÄRGER`}
	kind := "text"
	for i, n := range names {
		f := s.flow(n)
		_, q := s.pool(n)
		r := s.newRun(f, core.Completed, func(r *core.FlowRun) { r.Name = n })
		v := &core.Variable{ID: core.NewID(), Created: s.now, Updated: s.now, Name: n, Value: core.JSON(`1`)}
		a := &core.Artifact{ID: core.NewID(), Created: s.now, Updated: s.now, Key: &names[i], Type: &kind, Data: core.JSON(`"x"`)}
		d := &core.Deployment{ID: core.NewID(), Created: s.now, Updated: s.now, Name: n, FlowID: f.ID, WorkQueueID: q.ID}
		l := &core.Log{Name: "n", Level: 20, Message: n, Timestamp: s.now, FlowRunID: r.ID}
		s.write(func(tx core.Tx) error {
			return errors.Join(tx.InsertLogs(s.ctx, []*core.Log{l}), tx.InsertDeployment(s.ctx, d), tx.InsertVariable(s.ctx, v), tx.InsertArtifact(s.ctx, a))
		})
	}
	for _, typed := range []string{"%", "_", `\`, "0%", "A_B", `k\s`, "\t", `"`, "'", "[set]", "*", "?", "done", "ÄRGER", "%%", `\%`, "a%b", "zzz"} {
		want := 0
		for _, n := range names {
			if strings.Contains(strings.ToLower(n), strings.ToLower(typed)) {
				want++
			}
		}
		name := &core.TextFilter{Contains: &typed}
		for what, got := range map[string]func() (int, error){
			"flows": func() (int, error) {
				return found(s.Flows(s.ctx, core.Filters{Flows: &core.FlowFilter{Name: name}}, core.Page{}))
			},
			"flow runs": func() (int, error) {
				return found(s.FlowRuns(s.ctx, core.Filters{FlowRuns: &core.FlowRunFilter{Name: name}}, core.Page{}))
			},
			"flow runs by time": func() (int, error) {
				return found(s.FlowRuns(s.ctx, core.Filters{FlowRuns: &core.FlowRunFilter{Name: name}}, core.Page{Sort: "EXPECTED_START_TIME_DESC"}))
			},
			"a page of flow runs": func() (int, error) {
				return found(s.FlowRuns(s.ctx, core.Filters{FlowRuns: &core.FlowRunFilter{Name: name}}, core.Page{Limit: 100}))
			},
			"deployments": func() (int, error) {
				return found(s.Deployments(s.ctx, core.Filters{Deployments: &core.DeploymentFilter{FlowOrDeploymentName: name}}, core.Page{}))
			},
			"work pools": func() (int, error) { return found(s.WorkPools(s.ctx, &core.WorkPoolFilter{Name: name}, core.Page{})) },
			"variables":  func() (int, error) { return found(s.Variables(s.ctx, &core.VariableFilter{Name: name}, core.Page{})) },
			"artifacts":  func() (int, error) { return found(s.Artifacts(s.ctx, &core.ArtifactFilter{Key: name}, core.Page{})) },
			"logs": func() (int, error) {
				return found(s.Logs(s.ctx, &core.LogFilter{Text: core.Phrase(typed)}, core.Page{}))
			},
		} {
			if n, err := got(); err != nil || n != want {
				s.Errorf("%s with %q: %d, want %d: %v", what, typed, n, want, err)
			}
		}
	}
	wild := func(v string) int64 {
		return must(s.CountFlowRuns(s.ctx, core.Filters{FlowRuns: &core.FlowRunFilter{Name: &core.TextFilter{Like: &v}}}))(s)
	}
	s.eq([]int64{wild("a_b"), wild("50%d"), wild(`\`)}, []int64{2, 2, 1})
}

func found[T any](rows []T, err error) (int, error) { return len(rows), err }

// A search finds in logs what core.PlainText shows of them, on every engine.
func logsAsShown(s *suite) {
	pieces := []string{
		"\x1b[31m", "\x1b[0m", "\x1b[38;5;1", "m", "\x1b]8;;http://x\x1b\\", "\x1b]0;t", "\a", "\u009b1m", "\u009d2", "\u009c", "\x1bP", "\x1b(B", "\x1b", "[", "]", "\\",
		"\r", "\r", "\n", "\r\n", "\b", "\x7f", "\u0085", "a", "b", "%", " ", "é", "€", "1;2", "-", "~"}
	rnd := rand.New(rand.NewPCG(20, 23))
	run := core.NewID()
	var logs []*core.Log
	for i := range 400 {
		var b strings.Builder
		for range 1 + rnd.IntN(12) {
			b.WriteString(pieces[rnd.IntN(len(pieces))])
		}
		logs = append(logs, &core.Log{Name: fmt.Sprint("<", i, ">"), Level: 20, Message: b.String(), Timestamp: s.now, FlowRunID: run})
	}
	s.write(func(tx core.Tx) error { return tx.InsertLogs(s.ctx, logs) })
	for _, l := range logs {
		for part := range strings.SplitSeq(core.PlainText(l.Message), "\n") {
			if part == "" {
				continue
			}
			want := 0
			for _, o := range logs {
				if strings.Contains(core.PlainText(o.Message), part) {
					want++
				}
			}
			f := &core.LogFilter{FlowRunID: &core.IDFilter{Any: []core.UUID{run}}, Text: core.Phrase(part)}
			if n := must(s.CountLogs(s.ctx, f))(s); int(n) != want {
				s.Errorf("%q, as in %q, is in %d lines, want %d", part, l.Message, n, want)
			}
		}
	}
}
