// Package views draws the web UI: templ pages and components as pure functions
// of core's records and of the small structs declared beside each page. Every
// live region is a component of its own, so that page and fragment are the
// same HTML. Sizes are SVG attributes and there is no inline script or style,
// because the content security policy forbids both.
package views

//go:generate go run github.com/a-h/templ/cmd/templ@v0.3.977 generate
