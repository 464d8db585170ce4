package ui_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

// Whatever form a person opens and saves: what nobody touched stays to the byte.
func TestPagesPostedUntouched(t *testing.T) {
	h := uitest.Open(t)
	for _, f := range h.HardForms() {
		_, page := h.Get(f.Path)
		q := uitest.Posted(t, strings.NewReader(page), f.Form)
		before := f.Stored()
		if w := h.Post(f.Path, q); w.Code != 303 {
			t.Errorf("%s: %d %s", f.Name, w.Code, w.Body)
		}
		if after := f.Stored(); after != before {
			t.Errorf("%s, untouched: \n%s became\n%s", f.Name, before, after)
		}
		if f.Other == nil {
			continue
		}
		for k, v := range f.Other {
			if !q.Has(k) {
				t.Fatalf("%s has no field %s", f.Name, k)
			}
			q[k] = v
		}
		if w := h.Post(f.Path, q); w.Code != 303 {
			t.Errorf("%s: %d %s", f.Name, w.Code, w.Body)
		}
		after := f.Stored()
		if !strings.Contains(after, f.Says) || after == before {
			t.Errorf("%s: the change is not there: %s", f.Name, after)
		}
		if same := alikeBytes(before, after); same < len(before)-45 { // the changed field itself
			t.Errorf("%s, another field changed: \n%s became\n%s", f.Name, before, after)
		}
	}
}

// alikeBytes is how many bytes two texts begin and end with alike.
func alikeBytes(a, b string) int {
	n := min(len(a), len(b))
	i := 0
	for i < n && a[i] == b[i] {
		i++
	}
	j := 0
	for j < n-i && a[len(a)-1-j] == b[len(b)-1-j] {
		j++
	}
	return i + j
}

// The same in Chromium, which has its own view of what a control can hold.
func TestPagesPostedUntouchedInTheBrowser(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	forms := h.HardForms()
	b := h.Tab(t, uitest.Browser(t), forms[0].Path, 1280, 900)
	for _, f := range forms {
		b.GoTo(f.Path)
		before := f.Stored()
		b.JS(`(window.stale=true,document.querySelector("#` + f.Form + ` .btn.pri").click())`)
		b.Wait(`!window.stale && document.readyState=="complete"`)
		if after := f.Stored(); after != before {
			t.Errorf("%s: \n%s became\n%s", f.Name, before, after)
		}
	}
	if p := b.Problems(); len(p) > 0 {
		t.Error(p)
	}
}

// A form that was opened before somebody else's change does not undo it unseen.
func TestFormsThatAreOutdated(t *testing.T) {
	h := uitest.Open(t)
	for _, f := range h.HardForms() {
		if f.Other == nil || strings.HasPrefix(f.Name, "copied") {
			continue
		}
		_, page := h.Get(f.Path)
		opened := uitest.Posted(t, strings.NewReader(page), f.Form)
		first, second := url.Values{}, url.Values{}
		for k, v := range opened {
			first[k], second[k] = v, v
		}
		for k, v := range f.Other {
			first[k], second[k] = v, []string{v[0] + "1"}
		}
		if w := h.Post(f.Path, first); w.Code != 303 {
			t.Errorf("%s: %d", f.Name, w.Code)
		}
		theirs := f.Stored()
		if f.Name != "automation" {
			if w := h.Post(f.Path, opened); w.Code != 303 || f.Stored() != theirs {
				t.Errorf("%s: an untouched form undid another's change: %d %s", f.Name, w.Code, f.Stored())
			}
		}
		w := h.Post(f.Path, second)
		if w.Code != 422 || !strings.Contains(w.Body.String(), "Someone else has changed") || f.Stored() != theirs {
			t.Errorf("%s: %d, %s became %s", f.Name, w.Code, theirs, f.Stored())
		}
		again := uitest.Posted(t, strings.NewReader(w.Body.String()), f.Form)
		if strings.HasPrefix(f.Name, "schedule") {
			again.Set("zone", "Europe/Paris")
		}
		if w = h.Post(f.Path, again); w.Code != 303 || f.Stored() == theirs {
			t.Errorf("%s, saved again: %d, %s", f.Name, w.Code, f.Stored())
		}
	}
}

// A run is made of what its form showed, also if a default changed meanwhile.
func TestRunOfAnOutdatedForm(t *testing.T) {
	h := uitest.Open(t)
	path := "/deployments/" + h.ETL.ID.String() + "/run"
	_, page := h.Get(path)
	q := uitest.Posted(t, strings.NewReader(page), "run-form")
	h.Check(h.Service.UpdateDeployment(t.Context(), h.ETL.ID, core.DeploymentUpdate{Parameters: core.Some(core.JSON(`{"source":"clicks"}`))}))
	w := h.Post(path, q)
	if w.Code != 422 || !strings.Contains(w.Body.String(), "This default has changed since you opened the form.") {
		t.Fatal(w.Code, w.Body)
	}
	q = uitest.Posted(t, strings.NewReader(w.Body.String()), "run-form")
	if w = h.Post(path, q); w.Code != 303 {
		t.Fatal(w.Code, w.Body)
	}
	id, err := core.ParseUUID(strings.TrimPrefix(w.Header().Get("Location"), "/flow-runs/"))
	h.Check(err)
	if got := string(h.Run(id).Parameters); got != `{"source":"clicks","parallel":8}` {
		t.Error(got)
	}
}
