// Package ui is the web face of the use-cases: pages and fragments for htmx,
// forms, and streams of changes. Pages read core.Store and change things
// through orchestrate.Service alone. The same address serves page and
// fragment, told apart by HX-Request, and everything works without JavaScript.
//
// Import law: it imports core, orchestrate, schedule and views.
package ui
