package dbtest

import (
	"errors"

	"github.com/flowlite/flowlite/runtime/core"
)

// exact: what people write as JSON is read as it was written, with the order of
// its keys and every digit; of runs, with every digit.
func exact(s *suite) {
	const written = `{"zeta":{"second":1.0,"first":[1e300,12345678901234567890123]},"b":1.10,"a":"\u00e9"}`
	f := s.flow("exact")
	p, q := s.pool("exact")
	j := core.JSON(written)
	d := &core.Deployment{ID: core.NewID(), Created: s.now, Updated: s.now, Name: "d", FlowID: f.ID, WorkQueueID: q.ID, Parameters: j, JobVariables: j,
		ParameterOpenAPISchema: j, PullSteps: core.JSON(`[` + written + `]`)}
	sc := &core.Schedule{ID: core.NewID(), Created: s.now, Updated: s.now, DeploymentID: d.ID, Rule: core.JSON(`{"interval":60.0}`), Parameters: j}
	v := &core.Variable{ID: core.NewID(), Created: s.now, Updated: s.now, Name: "exact", Value: j}
	kind := &core.BlockType{ID: core.NewID(), Created: s.now, Updated: s.now, Name: "Exact", Slug: "exact"}
	block := &core.BlockSchema{ID: core.NewID(), Created: s.now, Updated: s.now, Checksum: "sha256:exact", Version: "1", Fields: j, BlockTypeID: kind.ID}
	p.BaseJobTemplate = j
	s.write(func(tx core.Tx) error {
		return errors.Join(tx.InsertDeployment(s.ctx, d), tx.InsertSchedule(s.ctx, sc), tx.InsertVariable(s.ctx, v), tx.InsertBlockType(s.ctx, kind),
			tx.InsertBlockSchema(s.ctx, block), tx.UpdateWorkPool(s.ctx, p))
	})
	stored := must(s.Deployment(s.ctx, d.ID))(s)
	for _, got := range []core.JSON{stored.Parameters, stored.JobVariables, stored.ParameterOpenAPISchema, stored.PullSteps[1 : len(stored.PullSteps)-1],
		must(s.Schedule(s.ctx, sc.ID))(s).Parameters, must(s.VariableByName(s.ctx, "exact"))(s).Value, must(s.BlockSchema(s.ctx, block.ID))(s).Fields,
		must(s.WorkPoolByName(s.ctx, "exact"))(s).BaseJobTemplate} {
		s.eq(string(got), written)
	}
	r := s.newRun(f, core.Scheduled, func(r *core.FlowRun) { r.Parameters = core.JSON(`{"n":1.0,"o":12345678901234567890123}`) })
	params := must(s.FlowRun(s.ctx, r.ID))(s).Parameters.Map()
	s.eq(params["n"], "1.0")
	s.eq(params["o"], "12345678901234567890123")
}
