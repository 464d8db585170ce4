package flowlite_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
)

// uuid is the id of a run for the typed client.
func uuid(id string) core.UUID {
	u, err := core.ParseUUID(id)
	if err != nil {
		panic(err)
	}
	return u
}

// stored is what the server has of an artifact.
func stored(server *client.Client, key string) string {
	var a core.Artifact
	text, err := server.Raw(context.Background(), "GET", "/artifacts/"+key+"/latest", nil)
	if err == nil {
		err = json.Unmarshal(text, &a)
	}
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s: %s", core.Deref(a.Type), a.Data)
}

func ExampleTable() {
	type row struct {
		City string `json:"city"`
		Rain int    `json:"rain"`
	}
	flow := flowlite.NewFlow("weather", func(ctx context.Context, _ struct{}) (bool, error) {
		return true, flowlite.Table(ctx, "rain", []row{{"Oslo", 3}, {"Rome", 0}})
	})
	ctx, server, stop := started()
	defer stop()
	_, err := flow.Run(ctx, struct{}{})
	fmt.Println(err, stored(server, "rain"))
	// Output: <nil> table: "[{\"city\":\"Oslo\",\"rain\":3},{\"city\":\"Rome\",\"rain\":0}]"
}

func ExampleLink() {
	flow := flowlite.NewFlow("publish", func(ctx context.Context, _ struct{}) (bool, error) {
		return true, flowlite.Link(ctx, "page", "https://example.com/report", "the report")
	})
	ctx, server, stop := started()
	defer stop()
	_, err := flow.Run(ctx, struct{}{})
	fmt.Println(err, stored(server, "page"))
	// Output: <nil> markdown: "[the report](https://example.com/report)"
}

func ExampleProgress() {
	flow := flowlite.NewFlow("copy", func(ctx context.Context, _ struct{}) (int, error) {
		set, err := flowlite.Progress(ctx, "copied", 0)
		for done := 1; err == nil && done <= 4; done++ {
			err = set(25 * float64(done))
		}
		return 4, err
	})
	ctx, server, stop := started()
	defer stop()
	_, err := flow.Run(ctx, struct{}{})
	fmt.Println(err, stored(server, "copied"))
	// Output: <nil> progress: 100
}

func ExampleEmit() {
	flow := flowlite.NewFlow("order", func(ctx context.Context, _ struct{}) (bool, error) {
		return true, flowlite.Emit(ctx, "order.paid", map[string]int{"cents": 500}) // automations can react
	})
	ctx, server, stop := started()
	defer stop()
	_, err := flow.Run(ctx, struct{}{})
	var page struct{ Events []*core.Event }
	text, rerr := server.Raw(ctx, "POST", "/events/filter", map[string]any{"filter": map[string]any{"event": map[string]any{"name": []string{"order.paid"}}}})
	err = errors.Join(err, rerr, json.Unmarshal(text, &page))
	fmt.Println(len(page.Events), string(page.Events[0].Payload), err)
	// Output: 1 {"cents":500} <nil>
}
