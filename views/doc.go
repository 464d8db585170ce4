// Package views has the templ pages and components of the UI: pure functions of core types.
package views
