package page

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A client that gives itself a new cookie for each stream, over any version of
// HTTP, does not open streams without end.
func TestStreamsAreBounded(t *testing.T) {
	for _, major := range []int{1, 2} {
		var s streams
		var releases []func()
		for i := range 3 * maxStreams {
			r := httptest.NewRequest("GET", "/changes", nil)
			r.ProtoMajor = major
			r.AddCookie(&http.Cookie{Name: "fl_sid", Value: fmt.Sprint(i)})
			w := httptest.NewRecorder()
			if release, ok := s.admit(w, r); ok {
				releases = append(releases, release)
			} else if w.Code != http.StatusNoContent {
				t.Fatal("refused with", w.Code)
			}
		}
		if len(releases) != maxStreams {
			t.Errorf("HTTP/%d: %d streams are open", major, len(releases))
		}
		for _, release := range releases {
			release()
		}
		if s.all != 0 || len(s.n) != 0 {
			t.Errorf("HTTP/%d: %d streams and %d browsers are left", major, s.all, len(s.n))
		}
	}
}
