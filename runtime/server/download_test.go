package server

import (
	"io"
	"mime"
	"net/http"
	"strings"
	"testing"
	"unicode"

	"github.com/flowlite/flowlite/runtime/core"
)

// TestHeadersOfHostileNames asks every GET route for things whose names are
// hostile: no header repeats what could break a header, a path, or a terminal,
// and no browser guesses what an answer is.
func TestHeadersOfHostileNames(t *testing.T) {
	s := start(t, testConfig(t))
	ctx := t.Context()
	downloads := map[string]bool{}
	for _, name := range []string{
		"../../etc/passwd", `..\..\x`, "a\r\nSet-Cookie: x=1", "a\x1b[31m\x07b", `x"; filename="evil.sh`,
		"\u202egnp.exe", "ü 漢字", "C:\\x", strings.Repeat("n", 400), "...", "a;b=c",
	} {
		flow, err := s.service.CreateFlow(ctx, core.FlowCreate{Name: "f"})
		if err != nil {
			t.Fatal(err)
		}
		run, err := s.service.CreateFlowRun(ctx, core.FlowRunCreate{FlowID: flow.ID, Name: name})
		if err != nil {
			t.Fatal(err)
		}
		task, err := s.service.CreateTaskRun(ctx, core.TaskRunCreate{FlowRunID: run.ID, TaskKey: "t", DynamicKey: "0", Name: name})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.service.PutResult(ctx, run.ID.String()+"/x", []byte("<script>")); err != nil {
			t.Fatal(err)
		}
		fill := func(pattern string) string {
			id := run.ID.String()
			if strings.Contains(pattern, "task") {
				id = task.ID.String()
			}
			pattern = strings.ReplaceAll(pattern, "{key...}", id+"/x")
			return wildcard.ReplaceAllString(pattern, id)
		}
		for _, d := range patterns(s) {
			waits := strings.Contains(d.path, "stream") || strings.Contains(d.path, "wait") || strings.HasSuffix(d.path, "/live")
			if d.method != http.MethodGet || d.socket || waits {
				continue
			}
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+fill(d.path), nil)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := transport.RoundTrip(r)
			if err != nil {
				t.Fatalf("%s: %v", d.path, err)
			}
			stream := strings.HasPrefix(answer.Header.Get("Content-Type"), "text/event-stream")
			if !stream {
				_, _ = io.Copy(io.Discard, answer.Body)
			}
			_ = answer.Body.Close()
			for key, values := range answer.Header {
				if strings.ContainsFunc(strings.Join(values, ""), unicode.IsControl) || key == "Set-Cookie" && strings.Contains(values[0], "x=1") {
					t.Errorf("%s: %s: %q", d.path, key, values)
				}
			}
			if answer.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s: a browser may guess what it is", d.path)
			}
			text := answer.Header.Get("Content-Disposition")
			if text == "" {
				continue
			}
			downloads[d.path] = true
			kind, params, err := mime.ParseMediaType(text)
			file := params["filename"]
			if err != nil || kind != "attachment" || file == "" || len(file) > 255 || file[0] == '.' ||
				strings.ContainsAny(file, "/\\:\"\r\n\x1b\u202e") || len(params) != 1 {
				t.Errorf("%s of %q: %s", d.path, name, text)
			}
		}
	}
	if len(downloads) < 3 {
		t.Errorf("only %d downloads: %v", len(downloads), downloads)
	}
}
