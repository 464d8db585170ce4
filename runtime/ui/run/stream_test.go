package run_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

// A page that was made before its run went on hears so when its stream opens.
func TestStreamKnowsWhatThePageShows(t *testing.T) {
	h := uitest.Open(t)
	run := h.Create(h.Adder, `{"a":1}`)
	old := h.Run(run.ID).StateID
	h.Act(run.ID)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", h.Server.URL+"/flow-runs/"+run.ID.String()+"/stream?after=0&state="+old.String(), nil)
	h.Check(err)
	res, err := http.DefaultClient.Do(r)
	h.Check(err)
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
	h := uitest.Open(t)
	run := h.Create(h.Approval, "")
	old := h.Run(run.ID).StateID
	h.Pause(h.Act(run.ID), run.ID)
	shown := func(lastID string) (banner, id string) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, "GET", h.Server.URL+"/flow-runs/"+run.ID.String()+"/stream?after=0&state="+old.String(), nil)
		h.Check(err)
		if lastID != "" {
			r.Header.Set("Last-Event-ID", lastID)
		}
		res, err := http.DefaultClient.Do(r)
		h.Check(err)
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
	if banner == "" || !strings.HasSuffix(id, "."+h.Run(run.ID).StateID.String()) {
		t.Fatalf("the first time: %q, id %q", banner, id)
	}
	if banner, _ := shown(id); banner != "" {
		t.Error("the form is sent again to somebody who has it")
	}
}
