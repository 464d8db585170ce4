package core

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// MaskedSecret stands for a secret wherever it is shown.
const MaskedSecret = "********"

// minSecret is the shortest text that is masked in logs: shorter ones stand in
// too many words.
const minSecret = 4

// SecretPaths are the places of a document's data that its schema calls
// secret, such as inner.key; a * takes everything below.
func (s *BlockSchema) SecretPaths() (paths [][]string) {
	var fields struct {
		Secret []string `json:"secret_fields"`
	}
	if s != nil && json.Unmarshal(s.Fields, &fields) == nil {
		for _, p := range fields.Secret {
			paths = append(paths, strings.Split(p, "."))
		}
	}
	return paths
}

// SecretWords are the texts in the document's secret fields that logs must not
// show: each string, and each line of it, since a log line is one line. A
// number is one only where it is the whole field: ports are in every log.
func (d *BlockDocument) SecretWords() (words []string) {
	data, _ := d.Data.Decode()
	for _, p := range d.BlockSchema.SecretPaths() {
		words = append(words, wordsAt(data, p)...)
	}
	return words
}

func wordsAt(v any, path []string) (words []string) {
	if len(path) == 0 || path[0] == "*" {
		if n, ok := v.(json.Number); ok {
			return []string{string(n)}
		}
		return wordsIn(v)
	}
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			words = append(words, wordsAt(x, path)...)
		}
	case map[string]any:
		words = wordsAt(v[path[0]], path[1:])
	}
	return words
}

func wordsIn(v any) (words []string) {
	switch v := v.(type) {
	case string:
		words = append(words, v)
		for line := range strings.Lines(v) {
			words = append(words, strings.TrimSpace(line))
		}
	case []any:
		for _, x := range v {
			words = append(words, wordsIn(x)...)
		}
	case map[string]any:
		for _, x := range v {
			words = append(words, wordsIn(x)...)
		}
	}
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
		quoted := strconv.Quote(w)
		all = append(all, quoted[1:len(quoted)-1])
	}
	all = slices.DeleteFunc(all, func(w string) bool { return len(w) < minSecret })
	if len(all) == 0 {
		return nil
	}
	// Longer words first: at one place the first match wins.
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	all = slices.Compact(all)
	pairs := make([]string, 0, 2*len(all))
	for _, w := range all {
		pairs = append(pairs, w, MaskedSecret)
	}
	return strings.NewReplacer(pairs...)
}
