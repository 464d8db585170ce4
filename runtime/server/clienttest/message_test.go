package clienttest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite"
)

// talk is a Python flow that sends its run's ID and more to a flow in Go, and
// receives what that answers.
const talk = `
import sys
from uuid import UUID
from prefect import flow
from prefect.input import RunInput, receive_input, send_input
from prefect.runtime import flow_run

class Verdict(RunInput):
    by: str
    ok: bool

@flow
def talk(to: str):
    to = UUID(to)
    send_input(str(flow_run.id), flow_run_id=to, key_prefix="whose")
    send_input("hello", flow_run_id=to)
    send_input(Verdict(by="ann", ok=True), flow_run_id=to)
    send_input([1, 2], flow_run_id=to, key_prefix="numbers")
    word = receive_input(str, timeout=30, poll_interval=0.2, key_prefix="word").next()
    verdict = receive_input(Verdict, timeout=30, poll_interval=0.2, key_prefix="verdict").next()
    words = list(receive_input(int, timeout=0.5, poll_interval=0.2, key_prefix="count"))
    return f"{word} {verdict.by} {verdict.ok} {words}"

print("RESULT", talk(sys.argv[1]))
`

type verdict struct {
	By string `json:"by"`
	OK bool   `json:"ok"`
}

// Prefect's send_input and receive_input meet Receive and Send, both ways.
func TestMessagesMeetRunInputs(t *testing.T) {
	for _, p := range clients(t) {
		t.Run(p.version, func(t *testing.T) {
			t.Parallel()
			sqlite, _, _ := places(t)
			url := sqlite.start(t)
			c, err := flowlite.Connect(url)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close(context.Background()) }()
			script := filepath.Join(t.TempDir(), "talk.py")
			if err := os.WriteFile(script, []byte(talk), 0o600); err != nil {
				t.Fatal(err)
			}
			said := make(chan string, 1)
			f := flowlite.NewFlow("talks", func(ctx context.Context, _ struct{}) (string, error) {
				cmd := command(t, 2*time.Minute, p.bin("python"), script, flowlite.Current(ctx).RunID)
				cmd.Env = environment(t, p, url)
				go func() {
					out, err := cmd.CombinedOutput()
					said <- fmt.Sprintf("%s%v", out, err)
				}()
				return converse(ctx)
			})
			got, err := f.Run(c.Context(t.Context()), struct{}{})
			out := <-said
			if want := "hello ann true [1 2]"; err != nil || got != want {
				t.Fatalf("the flow in Go received %q, want %q: %v\n%s", got, want, err, out)
			}
			if want := "RESULT hi bob False [1, 2, 3]"; !strings.Contains(out, want+"\n") {
				t.Fatalf("the flow in Python does not say %q:\n%s", want, out)
			}
		})
	}
}

// converse is the part of the flow in Go.
func converse(ctx context.Context) (string, error) {
	const patience = time.Minute
	whose, err := flowlite.Receive[string](ctx, "whose", patience)
	if err != nil {
		return "", err
	}
	word, err := flowlite.Receive[string](ctx, "strautomaticruninput-auto", patience)
	if err != nil {
		return "", err
	}
	v, err := flowlite.Receive[verdict](ctx, "verdict-auto", patience)
	if err != nil {
		return "", err
	}
	numbers, err := flowlite.Receive[[]int](ctx, "numbers", patience)
	if err != nil {
		return "", err
	}
	for n := range 3 {
		if err := flowlite.Send(ctx, whose, "count", n+1); err != nil {
			return "", err
		}
	}
	if err := flowlite.Send(ctx, whose, "verdict", verdict{By: "bob"}); err != nil {
		return "", err
	}
	return fmt.Sprint(word, " ", v.By, " ", v.OK, " ", numbers), flowlite.Send(ctx, whose, "word", "hi")
}
