package ui_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A page that was made before its run went on hears so when its stream opens.
func TestStreamKnowsWhatThePageShows(t *testing.T) {
	h := open(t)
	run := h.create(h.adder, `{"a":1}`)
	old := h.run(run.ID).StateID
	h.act(run.ID)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", h.srv.URL+"/flow-runs/"+run.ID.String()+"/stream?after=0&state="+old.String(), nil)
	h.check(err)
	res, err := http.DefaultClient.Do(r)
	h.check(err)
	defer func() { _ = res.Body.Close() }()
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		if strings.Contains(lines.Text(), `hx-target="#banner"`) {
			return
		}
	}
	t.Errorf("the stream says nothing of the banner: %v", lines.Err())
}

// One that comes back after a message of the state that it is in is not sent the
// banner again: somebody may be typing an answer into it.
func TestStreamLeavesWhatIsTyped(t *testing.T) {
	h := open(t)
	run := h.create(h.approval, "")
	old := h.run(run.ID).StateID
	h.pause(h.act(run.ID), run.ID)
	shown := func(lastID string) (banner, id string) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, "GET", h.srv.URL+"/flow-runs/"+run.ID.String()+"/stream?after=0&state="+old.String(), nil)
		h.check(err)
		if lastID != "" {
			r.Header.Set("Last-Event-ID", lastID)
		}
		res, err := http.DefaultClient.Do(r)
		h.check(err)
		defer func() { _ = res.Body.Close() }()
		lines := bufio.NewScanner(res.Body)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if v, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
				id = v
			}
			if strings.Contains(lines.Text(), `hx-target="#banner"`) {
				banner = lines.Text()
			}
			if lines.Text() == "event: tl" { // the message of the run has come
				return banner, id
			}
		}
		t.Fatal("the stream ends: ", lines.Err())
		return "", ""
	}
	banner, id := shown("")
	if banner == "" || !strings.HasSuffix(id, "."+h.run(run.ID).StateID.String()) {
		t.Fatalf("the first time: %q, id %q", banner, id)
	}
	if banner, _ := shown(id); banner != "" {
		t.Error("the form is sent again to somebody who has it")
	}
}
