package jinja

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/nikolalohinski/gonja/v2/builtins"
	"github.com/nikolalohinski/gonja/v2/exec"
)

// undefined is a name that is not there, an attribute of one, and so on: it is
// empty and false, and asking it for more is no error.
type undefined string

func (u undefined) GetAttribute(string) (*exec.Value, bool) { return exec.AsValue(u), true }
func (u undefined) GetItem(any) (*exec.Value, bool)         { return exec.AsValue(u), true }

func isUndefined(v *exec.Value) bool {
	if v.IsNil() || v.IsError() {
		return v.IsError()
	}
	_, is := v.Interface().(undefined)
	return is
}

// object is a JSON object; what it lacks is undefined.
type object map[string]any

func (o object) GetItem(key any) (*exec.Value, bool) {
	if name, ok := key.(string); ok {
		if v, has := o[name]; has {
			return exec.AsValue(v), true
		}
	}
	return exec.AsValue(undefined("")), true
}

func (o object) GetAttribute(name string) (*exec.Value, bool) { return o.GetItem(name) }

// value makes of decoded JSON what templates reckon with.
func value(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return int(n)
		}
		if !strings.ContainsAny(v.String(), ".eE") {
			return v.String() // a float64 would change its digits
		}
		if f, err := v.Float64(); err == nil {
			return f
		}
		return v.String()
	case map[string]any:
		o := make(object, len(v))
		for k, x := range v {
			o[k] = value(x)
		}
		return o
	case map[string]string:
		o := make(object, len(v))
		for k, x := range v {
			o[k] = x
		}
		return o
	case []any:
		list := make([]any, len(v))
		for i, x := range v {
			list[i] = value(x)
		}
		return list
	}
	return v
}

// globals are the functions that templates may call.
var globals = exec.NewContext(map[string]any{"range": countTo})

func countTo(_ *exec.Evaluator, params *exec.VarArgs) ([]any, error) {
	bounds := [3]int{0, 0, 1}
	for i, a := range params.Args {
		if i > 2 || !a.IsInteger() {
			return nil, errors.New("range takes one to three whole numbers")
		}
		bounds[i] = a.Integer()
	}
	switch len(params.Args) {
	case 0:
		return nil, errors.New("range takes one to three whole numbers")
	case 1:
		bounds[0], bounds[1] = 0, bounds[0]
	}
	if bounds[2] == 0 {
		return nil, errors.New("the step of range cannot be 0")
	}
	list := []any{}
	for i := bounds[0]; (bounds[2] > 0 && i < bounds[1]) || (bounds[2] < 0 && i > bounds[1]); i += bounds[2] {
		if len(list) == maxRange {
			return nil, fmt.Errorf("range too big: templates count to %d at most", maxRange)
		}
		list = append(list, i)
	}
	return list, nil
}

// tests and filters know of undefined.
var tests = exec.NewTestSet(map[string]exec.TestFunction{}).Update(builtins.Tests).Update(exec.NewTestSet(map[string]exec.TestFunction{
	"defined": func(_ *exec.Context, in *exec.Value, _ *exec.VarArgs) (bool, error) {
		return !isUndefined(in), nil
	},
	"undefined": func(_ *exec.Context, in *exec.Value, _ *exec.VarArgs) (bool, error) {
		return isUndefined(in), nil
	},
}))

var filters = exec.NewFilterSet(
	map[string]exec.FilterFunction{},
).Update(
	builtins.Filters,
).Update(
	exec.NewFilterSet(map[string]exec.FilterFunction{
		"default": orElse,
		"d":       orElse,
	}),
)

func orElse(e *exec.Evaluator, in *exec.Value, params *exec.VarArgs) *exec.Value {
	if isUndefined(in) {
		in = exec.AsValue(nil)
	}
	old, _ := builtins.Filters.Get("default")
	return old(e, in, params)
}

// filterNames are the library's filters; it has no list of them.
var filterNames = strings.Fields(`abs attr batch capitalize center default d dictsort e escape filesizeformat first float
	forceescape format groupby indent int join items last length count list lower map max min pprint random rejectattr reject
	replace reverse round safe selectattr select slice sort string striptags sum title tojson trim truncate unique upper
	urlencode urlize wordcount wordwrap xmlattr`)

func ofCaller(fn func(any) any) exec.FilterFunction {
	return func(_ *exec.Evaluator, in *exec.Value, _ *exec.VarArgs) *exec.Value {
		if in.IsError() {
			return in
		}
		v := in.Interface()
		if o, ok := v.(object); ok {
			v = map[string]any(o)
		}
		return exec.AsValue(fn(v))
	}
}
