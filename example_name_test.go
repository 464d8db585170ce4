package flowlite_test

import (
	"context"
	"fmt"

	"github.com/flowlite/flowlite"
)

func ExampleTask_Name() {
	greet := flowlite.NewTask("greet", func(_ context.Context, name string) (string, error) {
		return "Hello, " + name, nil
	})
	fmt.Println(greet.Name())
	// Output: greet
}
