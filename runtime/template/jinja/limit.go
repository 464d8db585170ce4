package jinja

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/nikolalohinski/gonja/v2/builtins"
	"github.com/nikolalohinski/gonja/v2/exec"

	"github.com/flowlite/flowlite/runtime/template"
)

// methods that templates may call: those that change their target are left out, as
// in Jinja's immutable sandbox, because a list could be made to hold itself; so are
// format and format_map, whose patterns ask for any width.
var methods = struct{ str, dict, list []string }{
	str: strings.Fields(`capitalize capwords casefold center count endswith expandtabs find isalnum isalpha isascii isdecimal
		isdigit islower isnumeric isprintable isspace istitle isupper join ljust lower lstrip partition removeprefix removesuffix
		replace rfind rjust rpartition rsplit rstrip split splitlines startswith strip swapcase title upper zfill`),
	dict: []string{"copy", "get", "items", "keys", "values"},
	list: []string{"copy"},
}

// growth is how large the result of a filter or method may become that makes more
// than it was given; the result of any other is no larger than a few times its
// input and parameters.
var growth = map[string]func(in *exec.Value, params *exec.VarArgs) int{
	"center": func(_ *exec.Value, p *exec.VarArgs) int { return largest(p, 0) },
	"ljust":  func(_ *exec.Value, p *exec.VarArgs) int { return largest(p, 0) },
	"rjust":  func(_ *exec.Value, p *exec.VarArgs) int { return largest(p, 0) },
	"zfill":  func(_ *exec.Value, p *exec.VarArgs) int { return largest(p, 0) },
	"batch":  func(_ *exec.Value, p *exec.VarArgs) int { return largest(p, 0) },
	"slice":  func(_ *exec.Value, p *exec.VarArgs) int { return largest(p, 0) },
	"round":  func(_ *exec.Value, p *exec.VarArgs) int { return largest(p, 0) },
	"indent": func(in *exec.Value, p *exec.VarArgs) int {
		return product(strings.Count(in.String(), "\n")+1, max(largest(p, 4), longest(p)))
	},
	"expandtabs": func(in *exec.Value, p *exec.VarArgs) int {
		return product(strings.Count(in.String(), "\t"), largest(p, 8))
	},
	"tojson": func(in *exec.Value, p *exec.VarArgs) int {
		return product(strings.Count(in.String(), ",")+1, max(largest(p, 0), longest(p)))
	},
	"replace": func(in *exec.Value, p *exec.VarArgs) int {
		if len(p.Args) == 0 {
			return product(utf8.RuneCountInString(in.String())+1, longest(p))
		}
		return product(strings.Count(in.String(), p.Args[0].String()), longest(p))
	},
	"join": func(in *exec.Value, p *exec.VarArgs) int {
		if in.IsString() && len(p.Args) > 0 && !p.Args[0].IsString() { // the method: the text stands between the parameter's items
			return product(p.Args[0].Len(), len(in.String()))
		}
		return product(in.Len(), longest(p))
	},
	"format": func(in *exec.Value, _ *exec.VarArgs) int {
		if wide.MatchString(in.String()) {
			return maxText + 1
		}
		return 0
	},
}

// wide finds a width or a precision of four digits, or one taken from the parameters.
var wide = regexp.MustCompile(`%[-+# 0]*(\d{4}|\*|\d*\.(\d{4}|\*)|\[)`)

func product(a, b int) int {
	fits(a)
	fits(b)
	return a * b
}

func parameters(p *exec.VarArgs) []*exec.Value {
	return append(slices.Clone(p.Args), slices.Collect(maps.Values(p.KwArgs))...)
}

// largest of the numbers among the parameters.
func largest(p *exec.VarArgs, least int) int {
	for _, v := range parameters(p) {
		if v.IsNumber() || v.IsString() {
			least = max(least, v.Integer())
		}
	}
	return least
}

// longest of the texts among the parameters.
func longest(p *exec.VarArgs) (n int) {
	for _, v := range parameters(p) {
		n = max(n, len(v.String()))
	}
	return n
}

// check charges what a filter or method works on, and refuses what it would make.
func (b *budget) check(name string, in *exec.Value, params *exec.VarArgs) {
	b.charge(in)
	for _, v := range parameters(params) {
		b.charge(v)
	}
	if grown := growth[name]; grown != nil && !in.IsError() {
		fits(grown(in, params))
	}
	if name == "list" && in.IsString() {
		fits(len(in.String()))
	}
}

func (b *budget) filters(more []template.Filters) *exec.FilterSet {
	all := map[string]exec.FilterFunction{}
	for _, name := range filterNames {
		fn, _ := filters.Get(name)
		all[name] = fn
	}
	for _, set := range more {
		for name, fn := range set {
			if all[name] == nil {
				all[name] = ofCaller(fn)
			}
		}
	}
	for name, fn := range all {
		all[name] = func(e *exec.Evaluator, in *exec.Value, params *exec.VarArgs) *exec.Value {
			b.check(name, in, params)
			v := fn(e, in, params)
			b.charge(v)
			return v
		}
	}
	return exec.NewFilterSet(all)
}

func (b *budget) methods() exec.Methods {
	return exec.Methods{
		Bool: builtins.Methods.Bool, Int: builtins.Methods.Int, Float: builtins.Methods.Float,
		Str:  bounded(b, builtins.Methods.Str, methods.str),
		Dict: bounded(b, builtins.Methods.Dict, methods.dict),
		List: bounded(b, builtins.Methods.List, methods.list),
	}
}

func bounded[T any](b *budget, all *exec.MethodSet[T], names []string) *exec.MethodSet[T] {
	some := map[string]exec.Method[T]{}
	for _, name := range names {
		if method, ok := all.Get(name); ok {
			some[name] = func(self T, value *exec.Value, params *exec.VarArgs) (any, error) {
				b.check(name, value, params)
				return method(self, value, params)
			}
		}
	}
	return exec.NewMethodSet(some)
}
