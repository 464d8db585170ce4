package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"strconv"
	"time"

	"github.com/flowlite/flowlite/runtime/backoff"
	"github.com/flowlite/flowlite/runtime/core"
)

// StreamLogs yields a run's log lines as they arrive, those after afterSeq
// first, until the run is final and all has been said. A broken connection is
// taken up again where it broke; an error that remains is the last thing
// yielded.
func (c *Client) StreamLogs(ctx context.Context, runID core.UUID, afterSeq int64) iter.Seq2[*core.Log, error] {
	return func(yield func(*core.Log, error) bool) {
		s := stream{after: afterSeq, yield: yield}
		broken := time.Time{}
		for {
			before := s.after
			err := s.read(ctx, c, runID)
			if s.done || ctx.Err() != nil {
				return
			}
			if s.after != before || broken.IsZero() {
				broken = time.Now()
			}
			if code := core.CodeOf(err); code != "" && code != core.EUnavailable || time.Since(broken) > max(c.patience, 0) {
				if err == nil {
					err = core.Errorf(core.EUnavailable, "The connection to %s was closed", c.URL())
				}
				yield(nil, err)
				return
			}
			if backoff.Sleep(ctx, 200*time.Millisecond) != nil {
				return
			}
		}
	}
}

type stream struct {
	after int64
	yield func(*core.Log, error) bool
	done  bool // the server said so, or nobody wants more
}

func (s *stream) read(ctx context.Context, c *Client, runID core.UUID) error {
	server := c.URL()
	resp, err := c.do(ctx, server, request{method: "GET", path: run(runID, "/logs/stream?after="+strconv.FormatInt(s.after, 10))})
	if err != nil {
		c.leave(server)
		return c.unreachable(ctx, server, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
		return c.failure(resp, server, b)
	}
	lines := bufio.NewReaderSize(resp.Body, 64<<10)
	var event string
	var data []byte
	var seq int64
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return nil
		}
		line = bytes.TrimRight(line, "\r\n")
		switch key, value, _ := bytes.Cut(line, []byte(": ")); string(key) {
		case "id":
			seq, _ = strconv.ParseInt(string(value), 10, 64)
		case "event":
			event = string(value)
		case "data":
			data = value
		}
		if len(line) > 0 {
			continue
		}
		if event == "done" {
			s.done = true
			return nil
		}
		var l core.Log
		if data != nil && json.Unmarshal(data, &l) == nil {
			l.Seq, s.after = seq, seq
			if !s.yield(&l, nil) {
				s.done = true
				return nil
			}
		}
		event, data = "", nil
	}
}
