package core

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A command that is shown to be pasted means the same words to a real shell.
func TestShellCommand(t *testing.T) {
	words := []string{"plain", "a/b", "", "two words", "it's", `"`, "$HOME", "`id`", "a;b", "a&b", "a|b", "*", "~", "~root", "a~b", "#x", "a\nb", `\`, "(x)", "!x", "é", "{a,b}", "[x]", "<x>", "-n", "a=b"}
	for _, w := range words {
		out, err := exec.Command("/bin/sh", "-c", `for w in `+ShellWord(w)+`; do printf '%s\0' "$w"; done`).Output()
		if err != nil || string(out) != w+"\x00" {
			t.Errorf("%q is written %s, which a shell reads as %q (%v)", w, ShellWord(w), out, err)
		}
	}
	out, err := exec.Command("/bin/sh", "-c", ShellCommand(append([]string{"printf", `%s\0`}, words...)...)).Output()
	if got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"); err != nil || !slices.Equal(got, words) {
		t.Errorf("%q, %v", got, err)
	}
}

var (
	shownCommand = regexp.MustCompile(`(^|[ \x60(:])(curl|(flowlite|prefect) (server (start|stop)|up|init|worker|deploy(ment)?|flow(-run)?|work-pool|work-queue|logs|task-run|artifact|variable|secret|block|automation|event|gcl|(global-)?concurrency-limit|config|profile|db|import|bench)) `)
	verb         = regexp.MustCompile(`%(\[(\d+)\])?[a-z]`)
	commandEnd   = regexp.MustCompile("[;`,)]")
)

// Each command that the program shows is made to be pasted: what is put into
// one goes through ShellWord or ShellCommand, or is an id.
func TestShownCommandsQuoteTheirWords(t *testing.T) {
	files := 0
	err := filepath.WalkDir("../..", func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && d.Name() != ".." {
			return fs.SkipDir
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		files++
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			return err
		}
		wrong := func(e ast.Expr) {
			if !quotes(e) {
				t.Errorf("%s: a word of a command is not quoted; use core.ShellCommand or core.ShellWord", fset.Position(e.Pos()))
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BinaryExpr:
				checkSum(sumOf(n), wrong)
				return false
			case *ast.CallExpr:
				checkFormat(n.Args, wrong)
			}
			return true
		})
		return nil
	})
	if err != nil || files < 100 {
		t.Fatal(files, err)
	}
}

func sumOf(e ast.Expr) []ast.Expr {
	if b, ok := e.(*ast.BinaryExpr); ok && b.Op == token.ADD {
		return append(sumOf(b.X), sumOf(b.Y)...)
	}
	return []ast.Expr{e}
}

// checkSum looks at texts put together by +, up to the end of the command.
func checkSum(parts []ast.Expr, wrong func(ast.Expr)) {
	in := false
	for _, p := range parts {
		text, ok := textOf(p)
		if !ok {
			if in {
				wrong(p)
			}
			continue
		}
		if m := shownCommand.FindStringIndex(text); m != nil {
			in, text = true, text[m[1]:]
		}
		in = in && !commandEnd.MatchString(text)
	}
}

// checkFormat looks at a call with a format.
func checkFormat(args []ast.Expr, wrong func(ast.Expr)) {
	for i, a := range args {
		text, ok := textOf(a)
		if !ok {
			continue
		}
		at := 0
		for {
			m := shownCommand.FindStringIndex(text[at:])
			if m == nil {
				break
			}
			start, end := at+m[1], len(text)
			if e := commandEnd.FindStringIndex(text[start:]); e != nil {
				end = start + e[0]
			}
			n := 0
			for _, v := range verb.FindAllStringSubmatchIndex(text, -1) {
				if n++; v[4] >= 0 {
					n, _ = strconv.Atoi(text[v[4]:v[5]])
				}
				if strings.ContainsRune("sqv", rune(text[v[1]-1])) && v[0] >= start && v[0] < end && i+n < len(args) {
					wrong(args[i+n])
				}
			}
			at = end
		}
	}
}

func textOf(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(l.Value)
	return s, err == nil
}

// quotes says whether the expression is safe within a command.
func quotes(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident: // constants
		return slices.Contains([]string{"poolSetting", "modulePath"}, e.Name)
	case *ast.SelectorExpr:
		return e.Sel.Name == "DefaultPool"
	case *ast.CallExpr:
		switch f := e.Fun.(type) {
		case *ast.Ident: // functions that quote what they take
			return slices.Contains([]string{"runFlags", "resumeFlags", "fieldFlags", "when"}, f.Name)
		case *ast.SelectorExpr:
			return slices.Contains([]string{"ShellWord", "ShellCommand", "String"}, f.Sel.Name)
		}
	case *ast.BinaryExpr:
		return true
	}
	return false
}
