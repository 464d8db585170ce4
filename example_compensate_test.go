package flowlite_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/flowlite/flowlite"
)

func ExampleCompensate() {
	type trip struct{ City string }
	book := flowlite.NewTask("book", func(_ context.Context, what string) (string, error) {
		if what == "car" {
			return "", errors.New("no car is left")
		}
		fmt.Println("booked the", what)
		return what, nil
	})
	travel := flowlite.NewFlow("travel", func(ctx context.Context, p trip) (string, error) {
		for _, what := range []string{"flight", "hotel", "car"} {
			err := flowlite.Compensate(ctx, what, func(context.Context) error {
				fmt.Println("cancel the", what, "if it is booked")
				return nil
			})
			if err != nil {
				return "", err
			}
			if _, err := book.Run(ctx, what); err != nil {
				return "", err
			}
		}
		return p.City, nil
	}, flowlite.OnFailure(func(_ context.Context, end flowlite.End) { fmt.Println(end.Message) }))
	ctx, _, stop := started(travel)
	defer stop()
	_, err := travel.Run(ctx, trip{"Rome"})
	fmt.Println(err)
	// Output:
	// booked the flight
	// booked the hotel
	// cancel the car if it is booked
	// cancel the hotel if it is booked
	// cancel the flight if it is booked
	// no car is left; undone: car, hotel, flight
	// no car is left
}
