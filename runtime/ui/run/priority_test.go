package run_test

import (
	"net/url"
	"strconv"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

// A person gives a new run a priority in the form, and changes it on the run's page.
func TestPriorityInTheBrowser(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	b := h.Tab(t, uitest.Browser(t), "/deployments/"+h.Adder.ID.String()+"/run", 1280, 900)
	b.Wait(`!!document.querySelector("#run-form") && !!window.htmx`)
	b.JS(`(document.querySelector("[name='parameters.a']").value=1,document.querySelector("[name=priority]").value=7,document.querySelector("[name=run_name]").focus())`)
	b.JS(`document.querySelector("#run-form .btn.pri").click()`)
	b.Wait(`location.pathname.startsWith("/flow-runs/") && document.querySelector("#run-head .facts").textContent.includes("Priority 7")`)
	id, err := core.ParseUUID(b.JS("location.pathname.split('/').pop()"))
	h.Check(err)
	if p := h.Run(id).Priority; p != 7 {
		t.Error("priority", p)
	}
	b.Wait(`!!window.htmx`)
	for _, p := range []int64{-2, 0} {
		b.JS(`document.querySelector("#run-head details.pop").open=true`)
		b.JS(`(document.querySelector("#prio").value=` + strconv.FormatInt(p, 10) + `,document.querySelector(".prio button").click())`)
		if p == 0 {
			b.Wait(`!document.querySelector("#run-head .facts").textContent.includes("Priority")`)
		} else {
			b.Wait(`document.querySelector("#run-head .facts").textContent.includes("Priority -2")`)
		}
		if got := h.Run(id).Priority; got != p {
			t.Error("priority", got, "want", p)
		}
	}
	if p := b.Problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}

// A priority that is no whole number is refused where it was typed, and changes nothing.
func TestBadPriority(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	run := h.Create(h.Approval, "")
	for text, code := range map[string]int{"4": 303, "": 303, "2.5": 422, "high": 422, "99999999999999999999": 422} {
		w := h.Post("/flow-runs/"+run.ID.String()+"/priority", url.Values{"priority": {text}})
		if w.Code != code {
			t.Errorf("%q: %d %s", text, w.Code, w.Body)
		}
	}
	w := h.Post("/deployments/"+h.Approval.ID.String()+"/run", url.Values{"parameters.ticket": {"HD-1"}, "priority": {"2.5"}})
	if w.Code != 422 {
		t.Errorf("form: %d", w.Code)
	}
	uitest.Contains(t, w.Body.String(), "is not a priority", `value="2.5"`)
}
