package data_test

import (
	"net/http/httptest"
	"testing"

	"github.com/flowlite/flowlite/runtime/ui"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

func TestSettings(t *testing.T) {
	h := uitest.Open(t)
	_, body := h.Get("/settings")
	uitest.Contains(t, body, "0.1.0", "SQLite", "Schema version", "B</dd>", "asked of everyone", "FLOWLITE_ENCRYPTION_KEY", "removed after 7 d", "removed after 90 d", "kept until they are deleted",
		"Works", "Fails", "connection refused", "Stands still", "On another server")
	alone := ui.New(ui.Config{Services: uitest.Services(h.Service), Store: ui.StoreOf(h.Store), Version: "0"})
	w := httptest.NewRecorder()
	alone.ServeHTTP(w, httptest.NewRequest("GET", "/settings", nil))
	if w.Code != 200 {
		t.Error("without a server:", w.Code)
	}
	uitest.Contains(t, w.Body.String(), "SQLite")
	lacks(t, w.Body.String(), "Loops")
}

// The page hears of a loop that fails without a reload.
func TestSettingsInTheBrowser(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	b := h.Tab(t, uitest.Browser(t), "/settings", 1280, 900)
	b.Want(`[...document.querySelectorAll("#settings tbody tr")].map(r=>r.querySelector(".badge").textContent.trim()).join()`, "Works,Fails,Stands still,On another server")
	b.JS(`(window.swaps=0,document.addEventListener("htmx:after:swap",()=>window.swaps++))`)
	b.Wait(`window.swaps>0`)
	b.Want(`document.querySelectorAll("#settings tbody tr").length`, "4")
	if p := b.Problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}
