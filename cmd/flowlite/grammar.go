package main

import (
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// parser is the grammar with all that it needs to be parsed: that of the
// command group, or with "" the whole. Building the whole is most of a short
// command's time.
func parser(c *cli, group string, options ...kong.Option) *kong.Kong {
	var root any = c
	if field, ok := groupField(group); ok {
		root = onlyGroup(field)
	}
	return kong.Must(
		root,
		append(
			[]kong.Option{kong.Name("flowlite"), kong.Description("A workflow orchestrator in one program."), kong.Vars{"api": defaultAPI}},
			options...)...)
}

// groupOf is the first word of a command line: a command group, if it is one.
func groupOf(args []string) string {
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case !strings.HasPrefix(a, "-"):
			return a
		case slices.Contains(globalsWithValue, a):
			i++
		case a == "-h" || a == "--help":
			return ""
		}
	}
	return ""
}

// globalsWithValue are the global flags whose value may be the next word.
var globalsWithValue = []string{"-o", "--output", "--color", "--api-url", "--auth-string", "--profile"}

func groupField(group string) (reflect.StructField, bool) {
	t := reflect.TypeFor[cli]()
	for f := range t.Fields() {
		if _, command := f.Tag.Lookup("cmd"); !command || group == "" {
			continue
		}
		name := f.Tag.Get("name")
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		if name == group || slices.Contains(strings.Split(f.Tag.Get("aliases"), ","), group) {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

// onlyGroup is cli with one command group: a pointer to a struct of its flags
// and that group's field.
func onlyGroup(group reflect.StructField) any {
	t := reflect.TypeFor[cli]()
	var fields []reflect.StructField
	for f := range t.Fields() {
		if _, command := f.Tag.Lookup("cmd"); !command || f.Name == group.Name {
			fields = append(fields, f)
		}
	}
	return reflect.New(reflect.StructOf(fields)).Interface()
}

// taken copies what was parsed into the global flags of c.
func (c *cli) taken(model *kong.Application) {
	from, to := model.Target, reflect.ValueOf(c).Elem()
	for i := range from.NumField() {
		if f := from.Type().Field(i); f.Type.Kind() == reflect.String {
			to.FieldByName(f.Name).Set(from.Field(i))
		}
	}
}
