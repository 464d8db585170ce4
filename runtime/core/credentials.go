package core

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
)

var (
	// A password may hold characters that a URL must escape, so the last @ counts.
	userinfo       = regexp.MustCompile("([A-Za-z][A-Za-z0-9+.-]*://)[^\\s\"'<>`]*@")
	quotedUserinfo = regexp.MustCompile(`("[A-Za-z][A-Za-z0-9+.-]*://)(?:[^"\\]|\\.)*@`)
	secretValue    = regexp.MustCompile("(?i)\\b((?:ssl)?password|passwd|pwd|secret|token|api_?key)=('(?:[^'\\\\]|\\\\.)*'|[^\\s&\"'<>`]+)")
	fragment       = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	inBackquotes   = regexp.MustCompile("`[^`]*`")
)

// HideCredentials returns text without the credentials of the URLs in it: what
// stands before an @, and the values of parameters such as password. A text
// that is one URL goes to HideURL.
func HideCredentials(text string) string {
	if !strings.ContainsAny(text, "@=") {
		return text
	}
	hidden := quotedUserinfo.ReplaceAllString(text, "${1}"+MaskedSecret+"@")
	hidden = userinfo.ReplaceAllString(hidden, "${1}"+MaskedSecret+"@")
	if hidden != text && strings.Contains(text, "invalid port ") { // net/url quotes the start of the password
		if at := strings.Index(hidden, "invalid port "); at >= 0 {
			hidden = hidden[:at] + fragment.ReplaceAllString(hidden[at:], `"`+MaskedSecret+`"`)
		}
	}
	return secretValue.ReplaceAllString(hidden, "${1}="+MaskedSecret)
}

// HideURL returns raw, a URL or what should have been one, without credentials.
// It need not be readable as a URL.
func HideURL(raw string) string {
	scheme, rest, ok := strings.Cut(raw, "://")
	if at := strings.LastIndexByte(rest, '@'); ok && at >= 0 {
		u, err := url.Parse(raw)
		if err != nil || u.User != nil {
			raw = scheme + "://" + MaskedSecret + rest[at:]
		}
	}
	return secretValue.ReplaceAllString(raw, "${1}="+MaskedSecret)
}

// URLFault returns why raw cannot be read, as err tells it. Parsers quote the
// part at which they stopped, which may be a piece of the password: of a URL
// with credentials, no quoted text is kept.
func URLFault(raw string, err error) string {
	if u, ok := errors.AsType[*url.Error](err); ok && raw != "" {
		err = u.Err
	}
	text, hidden := err.Error(), HideURL(raw)
	if hidden == raw {
		return HideCredentials(text)
	}
	text = strings.ReplaceAll(text, raw, hidden)
	text = inBackquotes.ReplaceAllLiteralString(text, hidden)
	return HideCredentials(fragment.ReplaceAllLiteralString(text, `"`+MaskedSecret+`"`))
}
