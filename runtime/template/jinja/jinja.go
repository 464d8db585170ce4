package jinja

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/nikolalohinski/gonja/v2/builtins"
	controlStructures "github.com/nikolalohinski/gonja/v2/builtins/control_structures"
	"github.com/nikolalohinski/gonja/v2/config"
	"github.com/nikolalohinski/gonja/v2/exec"
	"github.com/nikolalohinski/gonja/v2/loaders"
	"github.com/nikolalohinski/gonja/v2/logging"
	"github.com/nikolalohinski/gonja/v2/nodes"
	"github.com/nikolalohinski/gonja/v2/parser"

	"github.com/flowlite/flowlite/runtime/template"
)

// What a template may cost: loops as Prefect bounds them, source and output so that
// a text cannot exhaust the server; guard.go bounds what happens between.
const (
	maxSource = 20_000 // the parser calls itself for each bracket: a long row of them would end the process
	maxOutput = 1 << 20
	maxLoops  = 10
	maxNested = 2
	maxRange  = 100
)

// New returns the Engine of Jinja templates.
func New() template.Engine { return engine{} }

type engine struct{}

func (engine) Validate(source string) error {
	if !template.Is(source) && !strings.Contains(source, "{#") {
		return nil
	}
	_, _, err := parse(source)
	return err
}

func (engine) Render(source string, data map[string]any, more ...template.Filters) (out string, err error) {
	if !template.Is(source) {
		return source, nil
	}
	t, guarded, err := parse(source, more...)
	if err != nil {
		return "", err
	}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case tooMuch:
			out, err = "", fmt.Errorf("the template is stopped: %s", r)
		default:
			out, err = "", fmt.Errorf("the template cannot be rendered: %v", r)
		}
	}()
	values := exec.NewContext(guarded.names)
	for _, name := range word.FindAllString(source, -1) {
		if !globals.Has(name) {
			values.Set(name, undefined(""))
		}
	}
	for name, v := range data {
		values.Set(name, value(v))
	}
	w := &limited{}
	if err := t.Execute(w, values); err != nil {
		return "", errors.New(told(err))
	}
	return w.b.String(), nil
}

// word finds whatever may be a name.
var word = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*`)

var settings = func() *config.Config {
	logging.SetEnabled(false)
	return config.New()
}()

// statements are the blocks that templates may use.
var statements = []string{"if", "set", "with", "filter", "raw"}

func parse(source string, more ...template.Filters) (t *exec.Template, guarded *guard, err error) {
	if len(source) > maxSource {
		return nil, nil, &template.Error{
			Line:    1,
			Message: fmt.Sprintf("The template has %d bytes; at most %d are allowed.", len(source), maxSource),
			Source:  source[:200],
		}
	}
	if depth(source) > maxBrackets {
		return nil, nil, &template.Error{
			Line:    1,
			Message: fmt.Sprintf("The template has brackets within brackets, more than %d deep.", maxBrackets),
			Source:  source[:200],
		}
	}
	defer func() {
		if r := recover(); r != nil {
			t, err = nil, &template.Error{Line: 1, Message: fmt.Sprint("The template cannot be read: ", r), Source: source}
		}
	}()
	spent := &budget{}
	guarded = newGuard(spent)
	loops := &loopCount{guard: guarded}
	set := map[string]parser.ControlStructureParser{"for": loops.parse}
	for _, name := range statements {
		set[name], _ = builtins.ControlStructures.Get(name)
	}
	loader, err := loaders.NewMemoryLoader(map[string]string{"/template": source})
	if err != nil {
		return nil, nil, err
	}
	t, err = exec.NewTemplate("/template", settings, loader, &exec.Environment{
		Context: globals, Filters: spent.filters(more), Tests: tests, Methods: spent.methods(),
		ControlStructures: exec.NewControlStructureSet(set),
	})
	switch {
	case err != nil:
		return nil, nil, syntaxError(source, err)
	case loops.total > maxLoops:
		return nil, nil, &template.Error{
			Source:  source,
			Message: fmt.Sprintf("Contains %d for loops. Templates can contain no more than %d for loops.", loops.total, maxLoops),
		}
	case loops.deepest > maxNested:
		return nil, nil, &template.Error{
			Source: source,
			Message: fmt.Sprintf(
				"Contains nested for loops at a depth of %d. Templates can nest for loops no more than %d loops deep.",
				loops.deepest,
				maxNested,
			),
		}
	}
	guarded.walk(reflect.ValueOf(t.Root()), 0)
	return t, guarded, nil
}

// maxBrackets bounds what the parser has on its stack, which is kilobytes for each.
const maxBrackets = 200

// depth is how deep brackets stand within brackets, wherever they stand.
func depth(source string) (deepest int) {
	at := 0
	for i := range len(source) {
		switch source[i] {
		case '(', '[', '{':
			at++
			deepest = max(deepest, at)
		case ')', ']', '}':
			at = max(0, at-1)
		}
	}
	return deepest
}

// loopCount counts the for loops of one template as they are read.
type loopCount struct {
	total, depth, deepest int
	guard                 *guard
}

func (c *loopCount) parse(p *parser.Parser, args *parser.Parser) (nodes.ControlStructure, error) {
	c.total++
	c.depth++
	c.deepest = max(c.deepest, c.depth)
	defer func() { c.depth-- }()
	loop, _ := builtins.ControlStructures.Get("for")
	node, err := loop(p, args)
	if f, ok := node.(*controlStructures.ForControlStructure); ok && err == nil {
		if f.Recursive {
			return nil, args.Error("Recursive loops are not supported.", nil)
		}
		c.guard.loop(f)
	}
	return node, err
}

var place = regexp.MustCompile(`\s*\(Line: (\d+) Col: \d+, near ".*"\)`)

func syntaxError(source string, err error) *template.Error {
	e := &template.Error{Line: 1, Source: source}
	text := strings.TrimPrefix(err.Error(), "failed to parse template '"+source+"': ")
	if m := place.FindStringSubmatch(text); m != nil {
		line, _ := strconv.Atoi(m[1])
		e.Line = max(line, 1)
		text = place.ReplaceAllString(text, "")
	}
	e.Message = text
	return e
}

var atLine = regexp.MustCompile(` at line (\d+):`)

// told is what went wrong and in which line. The library wraps an error once for
// each expression around it and prints that, as it stands in the guarded tree.
func told(err error) string {
	line := ""
	if m := atLine.FindAllStringSubmatch(err.Error(), -1); m != nil {
		line = "line " + m[len(m)-1][1] + ": "
	}
	for {
		var next error
		switch e := any(err).(type) { // each link by itself, the library's values among them
		case *exec.Value:
			next, _ = e.Interface().(error)
		case interface{ Cause() error }:
			next = e.Cause()
		case interface{ Unwrap() error }:
			next = e.Unwrap()
		}
		if next == nil {
			return line + err.Error()
		}
		err = next
	}
}

// limited refuses more than maxOutput.
type limited struct{ b bytes.Buffer }

func (w *limited) Write(p []byte) (int, error) {
	if w.b.Len()+len(p) > maxOutput {
		return 0, fmt.Errorf("the rendered template would be longer than %d bytes", maxOutput)
	}
	return w.b.Write(p)
}
