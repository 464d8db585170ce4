package server

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// BenchmarkPythonStart is the time from a run's creation to RUNNING: the first
// run of a warm parent, those after it, and processes of their own.
//
//	FLOWLITE_TEST_PREFECT=.venv/prefect-3.4.9 go test -run '^$' -bench PythonStart ./runtime/server
func BenchmarkPythonStart(b *testing.B) {
	for _, venv := range prefects(b) {
		for name, forks := range map[string]bool{"warm": true, "plain": false} {
			b.Run(filepath.Base(venv)+"/"+name, func(b *testing.B) {
				s, reports, _ := pythonServer(b, venv, func(c *Config) { c.NoFork = !forks })
				nextReport(b, reports, "the flows", func(r FlowsReport) bool { return len(r.Deployments) > 0 })
				first := startOfPython(b, s)
				var all []time.Duration
				for b.Loop() {
					all = append(all, startOfPython(b, s))
				}
				slices.Sort(all)
				b.ReportMetric(first.Seconds(), "first-s")
				b.ReportMetric(all[len(all)/2].Seconds(), "median-s")
				b.ReportMetric(all[len(all)-1].Seconds(), "worst-s")
			})
		}
	}
}

func startOfPython(b *testing.B, s *Server) time.Duration {
	run := until(b, s, begin(b, s, "doubler", core.DeploymentFlowRunCreate{Parameters: core.JSON(`{"n":1}`)}), is(core.Completed))
	return run.StartTime.Sub(run.Created)
}
