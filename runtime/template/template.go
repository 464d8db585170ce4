package template

import (
	"fmt"
	"strings"
)

// Error is a template that cannot be read.
type Error struct {
	Line    int    `json:"line"`
	Message string `json:"message"`
	Source  string `json:"source"`
}

func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Message) }

// Is tells whether the text has anything to render.
func Is(text string) bool { return strings.Contains(text, "{{") || strings.Contains(text, "{%") }

// Filters are what a caller's templates may say after a bar, beside the Engine's own.
type Filters map[string]func(v any) any

// Engine renders templates.
type Engine interface {
	// Validate returns an *Error if the source is not a template that Render takes.
	Validate(source string) error
	// Render fills the template with data. A name that is not there, and anything
	// of it, is the empty text. The error is an *Error, or says what went wrong
	// while rendering.
	Render(source string, data map[string]any, more ...Filters) (string, error)
}

// None is the Engine of a program that renders no templates: it takes texts without any.
type None struct{}

func (None) Validate(source string) error {
	if !Is(source) {
		return nil
	}
	return &Error{Line: 1, Source: source,
		Message: "this program renders no templates: its embed.Config has no Templates, such as jinja.New() of package runtime/template/jinja"}
}

func (n None) Render(source string, _ map[string]any, _ ...Filters) (string, error) {
	return source, n.Validate(source)
}
