package completion

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/alecthomas/kong"
)

type grammar struct {
	Output string `short:"o" enum:"json,table," default:""`
	Loud   bool   `negatable:""`

	Run struct {
		Name string   `arg:"" predictor:"name"`
		Tag  []string `arg:"" optional:"" predictor:"tag"`
		In   string   `predictor:"name"`
	} `cmd:"" aliases:"start"`
	Secret struct{} `cmd:"" hidden:""`
	Pool   struct {
		Ls  struct{} `cmd:""`
		Add struct{} `cmd:""`
	} `cmd:""`
}

func TestComplete(t *testing.T) {
	var g grammar
	parser := kong.Must(&g, kong.Name("p"))
	of := map[string]Values{
		"name": func(Line) []string { return []string{"ann", "ben", "bob"} },
		"tag":  func(Line) []string { return []string{"red", "blue"} },
	}
	for text, want := range map[string][]string{
		"p ":                     {"pool", "run"},
		"p p":                    {"pool"},
		"p pool ":                {"add", "ls"},
		"p run b":                {"ben", "bob"},
		"p start b":              {"ben", "bob"},
		"p run ann ":             {"blue", "red"},
		"p run ann red ":         {"blue", "red"},
		"p run --in ":            {"ann", "ben", "bob"},
		"p run --in=be":          {"ben"},
		"p run --in ann b":       {"ben", "bob"},
		"p -o ":                  {"json", "table"},
		"p --output=t":           {"table"},
		"p --loud p":             {"pool"},
		"p -o json pool l":       {"ls"},
		"p --l":                  {"--loud"},
		"p --no":                 {"--no-loud"},
		"p run -- --":            nil,
		"p run -- b":             {"ben", "bob"},
		"p pool ls ":             nil,
		"p unknown command here": nil,
	} {
		t.Run(text, func(t *testing.T) {
			line, ok := Asked(func(k string) string { return map[string]string{"COMP_LINE": text}[k] })
			if got := Complete(parser.Model.Node, line, of); !ok || !reflect.DeepEqual(got, want) {
				t.Errorf("%v, want %v", got, want)
			}
		})
	}
}

func TestAskedStopsAtTheCursor(t *testing.T) {
	env := map[string]string{"COMP_LINE": "p pool ls", "COMP_POINT": "4"}
	line, ok := Asked(func(k string) string { return env[k] })
	if !ok || line.Last != "po" || len(line.Words) != 0 {
		t.Errorf("%+v, %v", line, ok)
	}
	if _, ok := Asked(func(string) string { return "" }); ok {
		t.Error("no shell asked")
	}
}

func TestFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, f := range []string{"flows/a.go", "flow.yaml", ".hidden"} {
		if err := os.MkdirAll(filepath.Dir(f), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for typed, want := range map[string][]string{
		"":        {"flow.yaml", "flows/"},
		"flows/":  {"flows/a.go"},
		"./flo":   {"./flow.yaml", "./flows/"},
		".h":      {".hidden"},
		"absent/": nil,
	} {
		if got := Files(Line{Last: typed}); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, want %v", typed, got, want)
		}
	}
	if got := Folders(Line{Last: "f"}); !reflect.DeepEqual(got, []string{"flows/"}) {
		t.Errorf("folders: %v", got)
	}
}
