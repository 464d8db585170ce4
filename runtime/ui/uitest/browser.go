package uitest

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// shared is the browser of a package's tests.
var shared struct {
	sync.Mutex
	ctx  context.Context
	stop func()
}

// Main runs the tests of a package, and then ends the browser that they shared.
func Main(m *testing.M) {
	code := m.Run()
	if shared.stop != nil {
		shared.stop()
	}
	os.Exit(code)
}

// chromium finds the browser. Without one the test is skipped, and fails in CI.
func chromium(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: this test needs a browser")
	}
	names := []string{"chromium", "chromium-browser", "google-chrome"}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("no browser found; install one of", names)
	}
	t.Skip("no browser found; install one of", names)
	return ""
}

// Profile is a browser profile: it has its own cookies, cache and connections.
type Profile struct {
	ctx   context.Context
	first sync.Once // of its tabs, which it comes with
}

// Browser returns a new profile in the Chromium that all tests of a package
// share.
func Browser(t *testing.T) *Profile {
	t.Helper()
	path := chromium(t)
	shared.Lock()
	defer shared.Unlock()
	if shared.ctx == nil {
		start(t, path)
	}
	ctx, cancel := chromedp.NewContext(shared.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	return &Profile{ctx: ctx}
}

// tab is the tab that the profile came with, and then a new one.
func (p *Profile) tab() (context.Context, context.CancelFunc) {
	unused := false
	if p.first.Do(func() { unused = true }); unused {
		return p.ctx, func() {}
	}
	return chromedp.NewContext(p.ctx)
}

func start(t *testing.T, path string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "flowlite-chromium-") // it leaves files of its own behind
	if err != nil {
		t.Fatal(err)
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.IgnoreCertErrors, chromedp.ExecPath(path))
	for _, f := range []string{"disable-quic", "disable-component-update", "disable-background-networking", "hide-scrollbars", "process-per-site"} {
		opts = append(opts, chromedp.Flag(f, true))
	}
	// a spare process for each new profile is never used
	opts = append(opts, chromedp.Flag("disable-features", "Translate,SpareRendererForSitePerProcess"))
	opts = append(opts, chromedp.Flag("host-resolver-rules", "MAP flows.test 127.0.0.1"), chromedp.Env("TMPDIR="+dir))
	root, c1 := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, c2 := chromedp.NewContext(root)
	stop := func() { c2(); c1(); _ = os.RemoveAll(dir) }
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		stop()
		t.Fatal(err)
	}
	shared.ctx, shared.stop = ctx, stop
}

// Tab is a tab of the browser.
type Tab struct {
	T   *testing.T
	H   *Fixture
	Ctx context.Context
	mu  sync.Mutex
	log []string
}

// Blank opens a tab without a page.
func (h *Fixture) Blank(t *testing.T, in *Profile) *Tab {
	t.Helper()
	ctx, cancel := in.tab()
	ctx, c2 := context.WithTimeout(ctx, 5*time.Minute)
	t.Cleanup(func() { c2(); cancel() })
	return &Tab{T: t, H: h, Ctx: ctx}
}

// Tab opens a page.
func (h *Fixture) Tab(t *testing.T, in *Profile, path string, width, height int64) *Tab {
	t.Helper()
	b := h.Blank(t, in)
	msgs := chromedp.Console(b.Ctx)
	go func() {
		for m, err := range msgs {
			if err != nil {
				return
			}
			b.mu.Lock()
			b.log = append(b.log, m.String())
			b.mu.Unlock()
		}
	}()
	b.Size(width, height)
	b.GoTo(path)
	return b
}

func (b *Tab) Size(width, height int64) {
	b.T.Helper()
	if _, err := chromedp.Call(b.Ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 600}); err != nil {
		b.T.Fatal(err)
	}
}

func (b *Tab) GoTo(path string) {
	b.T.Helper()
	if err := chromedp.Do(b.Ctx, chromedp.Navigate(b.H.Server.URL+path)); err != nil {
		b.T.Fatal(path, err)
	}
	b.Wait(`document.readyState=="complete" && !!window.htmx`)
}

func (b *Tab) JS(e string) string {
	b.T.Helper()
	v, err := b.eval(e)
	if err != nil {
		b.T.Fatalf("%s: %v", e, err)
	}
	return v
}

func (b *Tab) eval(e string) (string, error) {
	return chromedp.Run(b.Ctx, chromedp.Evaluate[string]("String("+e+")"))
}

// Wait polls the page until the expression is true.
func (b *Tab) Wait(e string) {
	b.T.Helper()
	deadline := time.NewTimer(15 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(40 * time.Millisecond)
	defer tick.Stop()
	// Between two pages there may be nothing to ask, or nobody.
	for {
		v, err := b.eval("(() => { try { return " + e + " } catch { return false } })()")
		if v == "true" {
			return
		}
		if err != nil && !strings.Contains(err.Error(), "navigated or closed") {
			b.T.Fatalf("%s: %v", e, err)
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			b.T.Fatalf("never true: %s\nat %s\nconsole: %v\n%s", e, b.JS("location.href"), b.Problems(), b.JS(`document.querySelector("#toasts")?.textContent`))
		}
	}
}

func (b *Tab) Want(e, v string) {
	b.T.Helper()
	if g := b.JS(e); g != v {
		b.T.Errorf("%s: %s = %q, want %q", b.JS("location.pathname"), e, g, v)
	}
}

// Problems are the console's messages but for those of refused posts.
func (b *Tab) Problems() (out []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, l := range b.log {
		if !strings.Contains(l, "422") && !strings.Contains(l, "409") && !strings.Contains(l, "Autofocus") {
			out = append(out, l)
		}
	}
	return out
}

// Forget forgets what the console has said.
func (b *Tab) Forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.log = nil
}

func (b *Tab) Press(keys ...string) {
	b.T.Helper()
	for _, k := range keys {
		if err := chromedp.Do(b.Ctx, chromedp.KeyEvent(k)); err != nil {
			b.T.Fatal(err)
		}
	}
}

func (b *Tab) Click(selector string) {
	b.T.Helper()
	if err := chromedp.Do(b.Ctx, chromedp.Click(selector)); err != nil {
		b.T.Fatal(selector, err)
	}
}

// In moves the browser to another zone.
func (b *Tab) In(zone string) {
	b.T.Helper()
	if _, err := chromedp.Call(b.Ctx, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: zone}); err != nil {
		b.T.Fatal(err)
	}
}

func (b *Tab) Cookie(name, value string) {
	b.T.Helper()
	if _, err := chromedp.Call(b.Ctx, network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: b.H.Server.URL}); err != nil {
		b.T.Fatal(err)
	}
}

// Eventually is for what the page does not show.
func Eventually(t *testing.T, what string, yes func() bool) {
	t.Helper()
	deadline, tick := time.After(15*time.Second), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("never true:", what)
		}
	}
}
