package core

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
)

// MaskedSecret stands for a secret wherever it is shown.
const MaskedSecret = "********"

// Auth strings of flow runs are RunAuthUser:RunAuthMark and hexadecimal digits, so
// that logs can be rid of them without knowing them.
const (
	RunAuthUser = "run"
	RunAuthMark = "flr_"
)

// runAuth also finds the Base64 of an auth string, as it is in the header Authorization.
var runAuth = regexp.MustCompile(RunAuthMark + `[0-9a-f]+|` + runAuthBasic + `[A-Za-z0-9+/=]+`)

const runAuthBasic = "cnVuOmZs" // the Base64 of "run:fl"

// MaskRunAuth replaces the credentials of flow runs in a text.
func MaskRunAuth(text string) string {
	return beneathStyles(text, func(text string) string {
		if !strings.Contains(text, RunAuthMark) && !strings.Contains(text, runAuthBasic) {
			return text
		}
		return runAuth.ReplaceAllString(text, MaskedSecret)
	})
}

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

// HidesValue reports whether the field value is secret, as that of a Secret block
// must be.
func (s *BlockSchema) HidesValue() bool {
	return slices.ContainsFunc(s.SecretPaths(), func(p []string) bool { return slices.Equal(p, []string{"value"}) })
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
		if text := strings.TrimSpace(v); strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
			inner, _ := JSON(text).Decode() // such as a service account's key
			words = append(words, wordsIn(inner)...)
		}
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

// Mask replaces secrets in texts.
type Mask struct{ words *strings.Replacer }

// Masker replaces the words of at least minSecret bytes, their lines, and the forms
// that they take within JSON, quotes, URLs, HTML, base64, and hexadecimal digits; nil
// if no word is long enough.
func Masker(words []string) *Mask {
	var all []string
	for _, w := range words {
		for _, piece := range pieces(w) {
			if len(piece) >= minSecret {
				all = append(all, forms(piece)...)
			}
		}
	}
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
	return &Mask{strings.NewReplacer(pairs...)}
}

// Replace returns text with the mask in place of each word.
func (m *Mask) Replace(text string) string { return beneathStyles(text, m.words.Replace) }

// beneathStyles masks a text, and masks it without its escape sequences and control
// characters if they hide a secret: pages and terminals show what is between them.
func beneathStyles(text string, mask func(string) string) string {
	text = mask(text)
	if isText(text) {
		return text
	}
	bare := notText.ReplaceAllString(text, "")
	if masked := mask(bare); masked != bare {
		return masked
	}
	return text
}

// pieces are a word and what is left of it where it is written line by line, or
// without what a terminal does not show.
func pieces(w string) []string {
	if isText(w) && !strings.Contains(w, "\n") {
		return []string{w}
	}
	all := []string{w, notText.ReplaceAllString(w, ""), PlainText(w)}
	for _, line := range strings.FieldsFunc(w, unicode.IsControl) {
		all = append(all, strings.TrimSpace(line))
	}
	return all
}

// forms are the word itself and what encoders make of it. Base64 is that of the
// word alone: within more text, it depends on what stands before.
func forms(w string) []string {
	coded := hex.EncodeToString([]byte(w))
	all := []string{
		w, url.QueryEscape(w), url.PathEscape(w), percent(w, ""), percent(w, "/"), percent(w, "!*'()"), percent(w, "!*'();,/?:@&=+$#"),
		html.EscapeString(w), htmlNames.Replace(w), htmlPython.Replace(w), coded, strings.ToUpper(coded),
		strings.ReplaceAll(w, `\`, `\\`), pythonQuotes.Replace(w),
	}
	for _, quoted := range []string{strconv.Quote(w), strconv.QuoteToASCII(w), jsonText(w, true), jsonText(w, false), asciiJSON(w)} {
		all = append(all, quoted[1:len(quoted)-1])
	}
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		coded := e.EncodeToString([]byte(w))
		all = append(all, coded, strings.TrimRight(coded, "="))
	}
	return all
}

// How other languages escape texts for HTML and within single quotes.
var (
	htmlNames    = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;")
	htmlPython   = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#x27;")
	pythonQuotes = strings.NewReplacer(`\`, `\\`, "'", `\'`, "\t", `\t`, "\r", `\r`, "\n", `\n`)
)

// percent is w as Python's quote and the functions of JavaScript write it in URLs;
// they leave letters, digits, "_.-~", and the characters of safe.
func percent(w, safe string) string {
	var b strings.Builder
	for i := range len(w) {
		switch c := w[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("_.-~"+safe, c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// jsonText is w as Go writes it, with <, >, and & escaped for HTML, or as others do.
func jsonText(w string, forHTML bool) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(forHTML)
	_ = e.Encode(w)
	return strings.TrimSuffix(b.String(), "\n")
}

// asciiJSON is w as Python's json writes it.
func asciiJSON(w string) string {
	var b strings.Builder
	for _, r := range jsonText(w, false) {
		switch {
		case r < 0x80:
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// MaskJSON returns j with the mask in each of its strings; keys stay as they are.
func MaskJSON(j JSON, mask *Mask) JSON {
	if mask == nil || j.IsNull() {
		return j
	}
	v, err := j.Tree()
	if err != nil {
		return j
	}
	if v, changed := maskIn(v, mask); changed {
		return Encode(v)
	}
	return j
}

func maskIn(v any, mask *Mask) (_ any, changed bool) {
	switch v := v.(type) {
	case string:
		text := mask.Replace(v)
		return text, text != v
	case []any:
		for i, x := range v {
			x, some := maskIn(x, mask)
			v[i], changed = x, changed || some
		}
	case Object:
		for i, m := range v {
			x, some := maskIn(m.Value, mask)
			v[i].Value, changed = x, changed || some
		}
	}
	return v, changed
}
