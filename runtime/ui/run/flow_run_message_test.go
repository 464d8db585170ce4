package run_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

type verdict struct {
	Approved bool   `json:"approved"`
	Note     string `json:"note" jsonschema:"minLength=3,description=Why."`
}

// A flow waits for one thing after another, and its page has the form for each. A
// message that does not fit is explained, and what is typed stays while the run goes on.
func TestSendMessageInTheBrowser(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	f := flowlite.NewFlow("asks", func(ctx context.Context, _ struct{}) (string, error) {
		said, err := flowlite.Receive[string](ctx, "said", time.Hour)
		if err != nil {
			return "", err
		}
		var v verdict
		var stop any
		first, err := flowlite.Select(ctx, flowlite.OnMessage("stop", &stop), flowlite.OnMessage("verdict", &v))
		if err != nil {
			return "", err
		}
		_, err = flowlite.Receive[any](ctx, "anything", time.Hour)
		return fmt.Sprint(said, " ", first, " ", v), err
	})
	run := h.Create(h.ETL, "")
	ctx := h.Act(run.ID)
	e := engine.New(engine.Config{Orchestrator: h.Service, SuspendAfter: time.Hour})
	ended := make(chan *engine.Outcome, 1)
	go func() {
		out, err := e.Execute(ctx, engine.FlowOf(f), run.ID)
		if err != nil {
			t.Error(err)
		}
		ended <- out
	}()
	path := "/flow-runs/" + run.ID.String()
	b := h.Tab(t, uitest.Browser(t), path, 1280, 900)
	send := `document.querySelector("#send button.pri").click()`
	b.Wait(`!!document.querySelector("#send")`)
	b.Want(`document.querySelector("#h-msg").textContent.includes("a message to the topic said")`, "true")
	b.JS(`document.querySelector("#send [name=value]").value="typed"`)
	h.Check(h.Service.SetStatus(ctx, run.ID, "step", core.StatusSet{Value: core.JSON(`"goes on"`)}))
	b.Wait(`document.querySelector("#statuses dd")?.textContent=="goes on"`)
	b.Want(`document.querySelector("#send [name=value]").value`, "typed")
	b.JS(send)
	b.Wait(`document.querySelector("#toasts").textContent.includes("Sent a message to said.")`)

	b.Wait(`document.querySelectorAll("#messages nav a").length==2`)
	b.Want(`document.querySelector("#messages nav [aria-current]").textContent`, "stop")
	b.JS(`document.querySelectorAll("#messages nav a")[1].click()`)
	b.Wait(`!!document.querySelector("#send [name=note]")`)
	b.JS(`(document.querySelector("#send [name=note]").value="no",` + send + `)`)
	b.Wait(`document.querySelectorAll("#send .ferr").length==2`)
	b.Want(`document.querySelector("#send [name=note]").value`, "no")
	b.JS(`(document.querySelector("#send [name=approved][value=true]").click(),document.querySelector("#send [name=note]").value="late",` + send + `)`)

	b.Wait(`document.querySelector("#h-msg").textContent.includes("anything")`)
	b.JS(`(document.querySelector("#send textarea").value="no json",` + send + `)`)
	b.Wait(`document.querySelectorAll("#send .ferr").length==1`)
	b.JS(`(document.querySelector("#send textarea").value='{"a":[1]}',` + send + `)`)
	if out := <-ended; out == nil || out.Err != nil || !strings.Contains(string(out.Result), "typed 1 {true late}") {
		t.Fatal(out)
	}
	b.Wait(`!document.querySelector("#send")`)
	if p := b.Problems(); len(p) > 0 {
		t.Error("console:", p)
	}
	if w := h.Post(path+"/message?topic=anything", map[string][]string{"value": {"1"}}); w.Code != 409 {
		t.Error("an ended run takes a message:", w.Code)
	}
}
