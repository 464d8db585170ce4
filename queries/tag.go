package queries

import (
	"reflect"

	"github.com/flowlite/flowlite/runtime/core"
)

// Rare are tags that few flow runs of a span have. Their runs are looked up; of
// a tag that many have, the runs of a list are asked whether they have it.
type Rare map[string]bool

// CommonTag is from how many runs on a tag is not rare: reading so many entries
// of an index takes about half a millisecond, looking up their runs ten.
const CommonTag = 5000

// RareTag counts the flow runs with a tag that were due in a span, up to CommonTag.
func RareTag(d Dialect, tag string, due *core.TimeFilter) Query {
	b := &builder{d: d, due: due}
	b.countTagged(tag, CommonTag)
	return b.query()
}

// Due is the span in which all runs that fs lets through were due; nil: any.
func Due(fs core.Filters) *core.TimeFilter {
	if fs.FlowRuns == nil || fs.FlowRuns.Operator == core.Or || fs.FlowRuns.ExpectedStartTime == nil ||
		fs.FlowRuns.ExpectedStartTime.IsNull != nil {
		return nil
	}
	return fs.FlowRuns.ExpectedStartTime
}

// DueIn is the span of a history.
func DueIn(q core.HistoryQuery) *core.TimeFilter {
	return &core.TimeFilter{After: q.Start, Before: q.End}
}

// onlyTag is the tag of a filter that asks for one tag, and for a time at most.
func onlyTag(fs core.Filters) (tag string, ok bool) {
	f := fs.FlowRuns
	if f == nil || f.Tags == nil || len(f.Tags.All) != 1 || f.ExpectedStartTime != nil && Due(fs) == nil {
		return "", false
	}
	want := core.Filters{FlowRuns: &core.FlowRunFilter{Operator: f.Operator, ExpectedStartTime: f.ExpectedStartTime,
		Tags: &core.TagFilter{Operator: f.Tags.Operator, All: f.Tags.All}}}
	return f.Tags.All[0], reflect.DeepEqual(fs, want)
}

// countTagged counts runs by the index of tags alone.
func (b *builder) countTagged(tag string, most int64) {
	b.write("SELECT COUNT(*) FROM (SELECT 1 FROM flow_run_tag g WHERE ")
	b.tagged(tag)
	b.write(" LIMIT ")
	b.arg(most)
	b.write(") AS tagged")
	b.varies = true
}

// tagged are the rows of a tag, g, within the span of the list.
func (b *builder) tagged(tag string) {
	b.write("g.tag = ")
	b.arg(tag)
	if b.due != nil && b.due.After != 0 {
		b.write(" AND ")
		b.cmp("g.expected_start_time", " >= ", b.due.After)
	}
	if b.due != nil && b.due.Before != 0 {
		b.write(" AND ")
		b.cmp("g.expected_start_time", " <= ", b.due.Before)
	}
}

// hasFlowRunTag is whether flow run r has a tag.
func (b *builder) hasFlowRunTag(tag string) {
	if b.rare[tag] {
		b.write("r.id IN (SELECT g.flow_run_id FROM flow_run_tag g WHERE ")
		b.tagged(tag)
		b.write(")")
		return
	}
	b.runHasTag("r.id", tag)
}

// runHasTag is whether the flow run that a column names has a tag.
func (b *builder) runHasTag(col, tag string) {
	b.write("EXISTS (SELECT 1 FROM flow_run_tag g WHERE g.flow_run_id = ", col, " AND g.tag = ")
	b.arg(tag)
	b.write(")")
}
