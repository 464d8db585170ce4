package dbtest

import (
	"sync"

	"github.com/flowlite/flowlite/runtime/core"
)

// Whoever asks for what comes after the last line seen gets every line, however
// many write at once.
func logFollowed(s *suite) {
	const writers, lines = 8, 40
	run := core.NewID()
	var writing sync.WaitGroup
	for i := range writers {
		writing.Go(func() {
			for range lines {
				err := s.Write(s.ctx, func(tx core.Tx) error {
					l := &core.Log{Name: "n", Level: 20, Message: "hello", Timestamp: s.now, FlowRunID: run}
					if err := tx.InsertLogs(s.ctx, []*core.Log{l}); err != nil {
						return err
					}
					for range i { // time between number and commit
						if _, err := tx.Flows(s.ctx, core.Filters{}, core.Page{Limit: 1}); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					s.Error(err)
				}
			}
		})
	}
	written := make(chan struct{})
	go func() { writing.Wait(); close(written) }()
	f := &core.LogFilter{FlowRunID: &core.IDFilter{Any: []core.UUID{run}}}
	for seen, last := 0, false; ; {
		got := must(s.Logs(s.ctx, f, core.Page{Sort: "SEQ_ASC", Limit: 10}))(s)
		if seen += len(got); len(got) > 0 {
			f.AfterSeq = got[len(got)-1].Seq
			continue
		}
		if last {
			s.eq(seen, writers*lines)
			return
		}
		select {
		case <-written:
			last = true
		default:
		}
	}
}
