package core

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// MaskedSecret stands for a secret wherever it is shown.
const MaskedSecret = "********"

// minSecret is the shortest text that is masked in logs: shorter ones stand in
// too many words.
const minSecret = 4

// SecretWords are the texts within a secret's JSON value that logs must not
// show: each string, and each line of it, since a log line is one line. A
// number is one only where it is the whole value: ports are in every log.
func SecretWords(value JSON) (words []string) {
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			words = append(words, v)
			for line := range strings.Lines(v) {
				words = append(words, strings.TrimSpace(line))
			}
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	if n, ok := v.(json.Number); ok {
		return []string{string(n)}
	}
	walk(v)
	return words
}

// Masker replaces the words, and the forms that they take within JSON and Go's
// quotes; nil if none is long enough.
func Masker(words []string) *strings.Replacer {
	var all []string
	for _, w := range words {
		all = append(all, w)
		if quoted, err := json.Marshal(w); err == nil {
			all = append(all, string(quoted[1:len(quoted)-1]))
		}
	}
	all = slices.DeleteFunc(all, func(w string) bool { return len(w) < minSecret })
	if len(all) == 0 {
		return nil
	}
	// Longer words first: at one place the first match wins.
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	pairs := make([]string, 0, 2*len(all))
	for _, w := range all {
		pairs = append(pairs, w, MaskedSecret)
	}
	return strings.NewReplacer(pairs...)
}
