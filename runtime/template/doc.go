// Package template says what the texts are that users put into parameters, notifications,
// and webhooks, with {{ }} in them. Package jinja renders them. It is a package of its own
// because its parser keeps the linker from leaving out what a program does not use.
package template
