package jinja

import (
	"fmt"
	"reflect"
	"unsafe"

	controlStructures "github.com/nikolalohinski/gonja/v2/builtins/control_structures"
	"github.com/nikolalohinski/gonja/v2/exec"
	"github.com/nikolalohinski/gonja/v2/nodes"
	"github.com/nikolalohinski/gonja/v2/tokens"
)

// Bounds of one rendering. An expression costs a step and as many more as its
// value has items; its texts count as bytes. So whatever a template multiplies,
// time and memory are bounded, and no value outgrows what is left of the budget.
const (
	maxDepth = 500       // of expressions within expressions
	maxSteps = 100_000   //
	maxBytes = 16 << 20  // in all the values that expressions had
	maxText  = 256 << 10 // of a text that a template makes; those of the data may be longer
)

// tooMuch is panicked with, because the library evaluates the target of a method
// twice, error or not: a chain of them would double the work with each link.
type tooMuch string

func exceeded(format string, args ...any) { panic(tooMuch(fmt.Sprintf(format, args...))) }

type budget struct{ steps, bytes int }

// charge takes what v holds out of the budget.
func (b *budget) charge(v *exec.Value) {
	if v != nil {
		b.weigh(v.Val)
	}
}

func (b *budget) weigh(v reflect.Value) {
	if b.steps++; b.steps > maxSteps {
		exceeded("it takes more than %d steps", maxSteps)
	}
	switch v.Kind() {
	case reflect.String:
		if b.bytes += v.Len(); b.bytes > maxBytes {
			exceeded("it handles more than %d MiB of text", maxBytes>>20)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			b.weigh(v.Index(i))
		}
	case reflect.Map:
		for each := v.MapRange(); each.Next(); {
			b.weigh(each.Key())
			b.weigh(each.Value())
		}
	case reflect.Interface:
		b.weigh(v.Elem())
	case reflect.Pointer:
		// A list or an object that the template wrote; anything else is the library's.
		switch e := v.Type().Elem(); e {
		case typeValue, typeDict, typePair:
			if !v.IsNil() {
				b.weigh(v.Elem())
			}
		}
	case reflect.Struct:
		switch v.Type() {
		case typeValue:
			b.weigh(v.FieldByName("Val").Interface().(reflect.Value))
		case typeDict, typePair:
			for _, field := range v.Fields() {
				b.weigh(field)
			}
		}
	}
}

var (
	typeValue = reflect.TypeFor[exec.Value]()
	typeDict  = reflect.TypeFor[exec.Dict]()
	typePair  = reflect.TypeFor[exec.Pair]()
)

// fits refuses to make a text of n bytes or a list of n items.
func fits(n int) {
	if n > maxText || n < 0 {
		exceeded("it makes a text of more than %d KiB", maxText>>10)
	}
}

// guard puts the budget into a parsed template: what an expression evaluates to is
// charged before anything uses it, and operators are weighed before they act. The
// library has no hook for either, so the tree is changed; some of its nodes keep
// their expressions in fields that are not exported.
type guard struct {
	budget *budget
	names  map[string]any // functions that the tree calls now; no template can spell their names
	seen   map[uintptr]bool
}

func newGuard(b *budget) *guard {
	g := &guard{budget: b, names: map[string]any{}, seen: map[uintptr]bool{}}
	g.names["\x00"] = func(_ *exec.Evaluator, params *exec.VarArgs) *exec.Value {
		b.charge(params.Args[0])
		return params.Args[0]
	}
	return g
}

// loop charges each turn of a loop before the first, with the text that stands in
// its body: {% set %} and {% filter %} collect that without any bound.
func (g *guard) loop(f *controlStructures.ForControlStructure) {
	name := fmt.Sprintf("\x00%d", len(g.names))
	body := textIn(reflect.ValueOf(f.BodyWrapper), map[uintptr]bool{})
	g.names[name] = func(_ *exec.Evaluator, params *exec.VarArgs) *exec.Value {
		v := params.Args[0]
		n := 0
		if v.IsIterable() {
			n = v.Len()
		}
		if g.budget.steps += n; g.budget.steps > maxSteps {
			exceeded("it takes more than %d steps", maxSteps)
		}
		if g.budget.bytes += n * body; g.budget.bytes > maxBytes {
			exceeded("it handles more than %d MiB of text", maxBytes>>20)
		}
		return v
	}
	at := f.ObjectEvaluator.Position()
	f.ObjectEvaluator = &nodes.Call{Location: at, Func: named(name, at), Args: []nodes.Expression{f.ObjectEvaluator}}
}

// textIn is how many bytes stand between the tags below v.
func textIn(v reflect.Value, seen map[uintptr]bool) (n int) {
	switch v.Kind() {
	case reflect.Interface:
		return textIn(v.Elem(), seen)
	case reflect.Pointer:
		if v.IsNil() || seen[v.Pointer()] {
			return 0
		}
		seen[v.Pointer()] = true
		if v.Type() == reflect.TypeFor[*nodes.Data]() {
			return v.Elem().FieldByName("Data").Elem().FieldByName("Val").Len()
		}
		return textIn(v.Elem(), seen)
	case reflect.Slice:
		for i := range v.Len() {
			n += textIn(v.Index(i), seen)
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			n += textIn(field, seen)
		}
	}
	return n
}

// walk goes through all nodes below v.
func (g *guard) walk(v reflect.Value, depth int) {
	if depth > maxDepth*3 { // a slot, a node and its fields are three levels
		exceeded("its expressions are nested more than %d deep", maxDepth)
	}
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() {
			g.walk(v.Elem(), depth+1)
		}
	case reflect.Pointer:
		if v.IsNil() || v.Type() == reflect.TypeFor[*tokens.Token]() || g.seen[v.Pointer()] {
			return
		}
		g.seen[v.Pointer()] = true
		g.walk(v.Elem(), depth+1)
	case reflect.Slice:
		for i := range v.Len() {
			g.walk(v.Index(i), depth)
			g.enclose(v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			slot := reflect.New(v.Type().Elem()).Elem()
			slot.Set(v.MapIndex(key))
			g.walk(slot, depth)
			g.enclose(slot)
			v.SetMapIndex(key, slot)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Field(i)
			if !field.CanSet() {
				field = reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem()
			}
			g.walk(field, depth+1)
			switch v.Type().Field(i).Name {
			case "Func", "target": // a method's name and what {% set %} assigns to
			default:
				g.enclose(field)
			}
		}
	}
}

// enclose lets the value of a slot's expression be charged.
func (g *guard) enclose(slot reflect.Value) {
	if slot.Kind() != reflect.Interface || slot.IsNil() {
		return
	}
	var at *tokens.Token
	var args []nodes.Expression
	name := "\x00"
	switch n := slot.Interface().(type) {
	case *nodes.BinaryExpression:
		at = n.Operator.Token
		if at.Type == tokens.And || at.Type == tokens.Or { // they evaluate their right side only if needed
			args = []nodes.Expression{n}
			break
		}
		name, args = g.operator(n.Operator), []nodes.Expression{n.Left, n.Right}
	case *nodes.Name, *nodes.GetItem, *nodes.GetSlice, *nodes.GetAttribute, *nodes.Call, *nodes.FilteredExpression,
		*nodes.TestExpression, *nodes.List, *nodes.Tuple, *nodes.Dict, *nodes.Negation, *nodes.UnaryExpression:
		args = []nodes.Expression{n.(nodes.Expression)}
		at = args[0].Position()
	default:
		return
	}
	slot.Set(reflect.ValueOf(&nodes.Call{Location: at, Func: named(name, at), Args: args}))
}

// operator is a function that does what the operator does, within bounds.
func (g *guard) operator(op *nodes.BinOperator) (name string) {
	name = fmt.Sprintf("\x00%d", len(g.names))
	g.names[name] = func(e *exec.Evaluator, params *exec.VarArgs) *exec.Value {
		left, right := params.Args[0], params.Args[1]
		switch op.Token.Type {
		case tokens.Multiply:
			if left.IsString() && right.IsInteger() && right.Integer() < 0 {
				return exec.AsValue("")
			}
			if left.IsString() && right.Integer() > 0 {
				fits(right.Integer()) // the product may not fit an int
				fits(len(left.String()) * right.Integer())
			}
		case tokens.Addition, tokens.Tilde:
			if left.IsString() || right.IsString() || op.Token.Type == tokens.Tilde {
				fits(len(left.String()) + len(right.String()))
			}
		}
		e.Environment.Context.Set("\x00left", left)
		e.Environment.Context.Set("\x00right", right)
		v := e.Eval(&nodes.BinaryExpression{Left: named("\x00left", op.Token), Right: named("\x00right", op.Token), Operator: op})
		g.budget.charge(v)
		return v
	}
	return name
}

func named(name string, at *tokens.Token) *nodes.Name {
	t := tokens.Token{Type: tokens.Name, Val: name}
	if at != nil {
		t.Line, t.Col, t.Pos = at.Line, at.Col, at.Pos
	}
	return &nodes.Name{Name: &t}
}
