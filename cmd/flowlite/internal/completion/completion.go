// Package completion completes the command line that a shell's user is typing,
// from kong's model of the commands: names of commands and flags, values of
// enums, and what the tag "predictor" of a flag or an argument names.
package completion

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
)

// Line is the command line up to the cursor.
type Line struct {
	Words []string // complete words after the program's name
	Last  string   // what is being typed; empty after a space
}

// Asked returns the line that a shell wants to have completed; false if the
// program was started for something else. Shells say it as bash's complete -C does.
func Asked(getenv func(string) string) (Line, bool) {
	text := getenv("COMP_LINE")
	if text == "" {
		return Line{}, false
	}
	if n, err := strconv.Atoi(getenv("COMP_POINT")); err == nil && n >= 0 && n < len(text) {
		text = text[:n]
	}
	words := strings.Fields(text)
	last := ""
	if !strings.HasSuffix(text, " ") && len(words) > 0 {
		last, words = words[len(words)-1], words[:len(words)-1]
	}
	return Line{Words: words[min(1, len(words)):], Last: last}, true
}

// Values returns what a flag or an argument can be, given what is typed.
type Values func(Line) []string

// Complete returns the words that the last one of the line can become. of holds
// the values for each name that a tag "predictor" mentions.
func Complete(root *kong.Node, line Line, of map[string]Values) []string {
	at := walk(root, line.Words)
	var all []string
	flag, value, assigned := strings.Cut(line.Last, "=")
	switch {
	case at.pending != nil:
		all = valuesOf(at.pending, line, of)
	case !at.literal && strings.HasPrefix(line.Last, "-") && assigned:
		// Shells replace only what follows the "=".
		line.Last = value
		if f := flagOf(at.node, flag); f != nil {
			all = valuesOf(f.Value, line, of)
		}
	case !at.literal && strings.HasPrefix(line.Last, "-"):
		all = flagsOf(at.node)
	default:
		if at.arguments == 0 && !at.literal {
			all = commandsOf(at.node)
		}
		if a := argument(at.node, at.arguments); a != nil {
			all = append(all, valuesOf(a, line, of)...)
		}
	}
	var fit []string
	for _, s := range all {
		if strings.HasPrefix(s, line.Last) && !slices.Contains(fit, s) {
			fit = append(fit, s)
		}
	}
	slices.Sort(fit)
	return fit
}

// place is where in the commands a line has arrived.
type place struct {
	node      *kong.Node
	arguments int         // given to the node
	pending   *kong.Value // of a flag that waits for its value
	literal   bool        // after "--" nothing is a flag
}

func walk(root *kong.Node, words []string) place {
	at := place{node: root}
	for _, w := range words {
		switch {
		case at.pending != nil:
			at.pending = nil
		case !at.literal && w == "--":
			at.literal = true
		case !at.literal && strings.HasPrefix(w, "-"):
			name, _, assigned := strings.Cut(w, "=")
			if f := flagOf(at.node, name); f != nil && !assigned && !f.IsBool() && !f.IsCounter() {
				at.pending = f.Value
			}
		default:
			if n := command(at.node, w); n != nil && at.arguments == 0 {
				at.node = n
			} else {
				at.arguments++
			}
		}
	}
	return at
}

func command(n *kong.Node, word string) *kong.Node {
	for _, c := range n.Children {
		if c.Type == kong.CommandNode && (c.Name == word || slices.Contains(c.Aliases, word)) {
			return c
		}
	}
	return nil
}

func commandsOf(n *kong.Node) (names []string) {
	for _, c := range n.Children {
		if c.Type == kong.CommandNode && !c.Hidden {
			names = append(names, c.Name)
		}
	}
	return names
}

func flagOf(n *kong.Node, word string) *kong.Flag {
	for _, group := range n.AllFlags(false) {
		for _, f := range group {
			if word == "--"+f.Name || f.Short != 0 && word == "-"+string(f.Short) {
				return f
			}
		}
	}
	return nil
}

func flagsOf(n *kong.Node) (names []string) {
	for _, group := range n.AllFlags(true) {
		for _, f := range group {
			names = append(names, "--"+f.Name)
			if f.Tag.Negatable != "" {
				names = append(names, "--no-"+f.Name)
			}
		}
	}
	return names
}

// argument is the n-th of a command; the last one may repeat.
func argument(n *kong.Node, at int) *kong.Value {
	switch given := len(n.Positional); {
	case at < given:
		return n.Positional[at]
	case given > 0 && n.Positional[given-1].IsSlice():
		return n.Positional[given-1]
	}
	return nil
}

func valuesOf(v *kong.Value, line Line, of map[string]Values) []string {
	if values := of[v.Tag.Get("predictor")]; values != nil {
		return values(line)
	}
	if v.Enum != "" {
		return slices.DeleteFunc(slices.Clone(v.EnumSlice()), func(s string) bool { return s == "" })
	}
	return nil
}

// Files completes paths; folders end with a slash, so that typing goes on below.
func Files(line Line) []string { return paths(line.Last, true) }

// Folders completes paths of folders.
func Folders(line Line) []string { return paths(line.Last, false) }

func paths(typed string, files bool) (found []string) {
	folder, base := filepath.Split(typed)
	entries, err := os.ReadDir(filepath.Clean(folder)) // of nothing: the current one
	if err != nil {
		return nil
	}
	for _, e := range entries {
		name := folder + e.Name()
		if !strings.HasPrefix(name, typed) || strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(base, ".") {
			continue
		}
		info, err := os.Stat(name)
		switch {
		case err != nil:
		case info.IsDir():
			found = append(found, name+"/")
		case files:
			found = append(found, name)
		}
	}
	return found
}
