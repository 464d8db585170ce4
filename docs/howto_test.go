package docs_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The Go code of a how-to is that of an example, which runs.
func TestCodeOfHowToRuns(t *testing.T) {
	for page, example := range map[string]string{"how-to/approvals-by-webhook.md": "../example_webhook_test.go"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		code, err := os.ReadFile(example)
		if err != nil {
			t.Fatal(err)
		}
		blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(text), -1)
		if len(blocks) == 0 {
			t.Errorf("%s has no code", page)
		}
		for _, b := range blocks {
			if !strings.Contains(string(code), b[1]) {
				t.Errorf("%s has code that %s has not:\n%s", page, example, b[1])
			}
		}
	}
}
