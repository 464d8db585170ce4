package client

import (
	"context"
	"net/url"
	"strconv"

	"github.com/flowlite/flowlite/runtime/core"
)

func streamPath(flowRunID core.UUID, key string) string {
	return run(flowRunID, "/streams/"+core.PathSegment(key))
}

// AppendStream can be sent again: source and ordinal tell what is there.
func (c *Client) AppendStream(ctx context.Context, flowRunID core.UUID, key string, list []core.StreamAppend) (int64, error) {
	var out struct {
		Last int64 `json:"last"`
	}
	err := c.post(ctx, streamPath(flowRunID, key), streamAppends{list}, &out)
	return out.Last, err
}

type streamAppends struct {
	Entries []core.StreamAppend `json:"entries"`
}

func (c *Client) StreamEntries(
	ctx context.Context,
	flowRunID core.UUID,
	key string,
	from int64,
	wait core.Seconds,
) (out *core.StreamPage, err error) {
	q := url.Values{"from": {strconv.FormatInt(from, 10)}, "wait": {strconv.FormatFloat(float64(wait), 'f', -1, 64)}}
	return out, c.get(ctx, streamPath(flowRunID, key)+"/wait?"+q.Encode(), &out)
}
