package core

import (
	"net/url"
	"strings"
)

// PathSegment escapes a name as one segment of a URL's path. url.PathEscape
// leaves "." and ".." as they are, which mean other paths.
func PathSegment(name string) string {
	if DotSegment(name) {
		return strings.ReplaceAll(name, ".", "%2E")
	}
	return url.PathEscape(name)
}

// DotSegment reports whether a URL's path cannot have the name as a segment:
// browsers and proxies take "." and ".." for this directory and the one above,
// however they are escaped.
func DotSegment(name string) bool { return name == "." || name == ".." }
