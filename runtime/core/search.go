package core

import (
	"slices"
	"strings"
)

// Search is a text query as newer clients write it: words and "quoted phrases",
// of which one must be there; +word must be there too, -word or !word must not.
type Search struct {
	Query string `json:"query"`
}

// Phrase searches for text as it is, whatever characters it has.
func Phrase(text string) *Search {
	return &Search{`"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`}
}

// SearchTerms are the words of a Search as they were typed.
type SearchTerms struct{ Any, All, None []string }

func (s *Search) Terms() (t SearchTerms) {
	if s == nil {
		return t
	}
	for rest := strings.TrimSpace(s.Query); rest != ""; rest = strings.TrimSpace(rest) {
		into := &t.Any
		if len(rest) > 1 && rest[1] != ' ' {
			switch rest[0] {
			case '+':
				into, rest = &t.All, rest[1:]
			case '-', '!':
				into, rest = &t.None, rest[1:]
			}
		}
		var word string
		if word, rest = searchWord(rest); word != "" {
			*into = append(*into, word)
		}
	}
	return t
}

// searchWord cuts the first word or quoted phrase off.
func searchWord(s string) (word, rest string) {
	if !strings.HasPrefix(s, `"`) {
		word, rest, _ = strings.Cut(s, " ")
		return word, rest
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == '"':
			return b.String(), s[i+1:]
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), "" // a quote that is not closed reaches to the end
}

// Match says whether a text has what is searched, whatever the case of letters.
func (t SearchTerms) Match(text string) bool {
	text = strings.ToLower(text)
	has := func(word string) bool { return strings.Contains(text, strings.ToLower(word)) }
	for _, w := range t.All {
		if !has(w) {
			return false
		}
	}
	if slices.ContainsFunc(t.None, has) {
		return false
	}
	if slices.ContainsFunc(t.Any, has) {
		return true
	}
	return len(t.Any) == 0
}
