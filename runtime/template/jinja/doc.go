// Package jinja renders the Jinja templates of users: the expressions, filters, and tests
// of Jinja, and the statements if, for, set, with, filter, and raw. What reads files, calls
// itself, or makes much of little (include, import, extends, macro, long ranges)
// is left out: a template is a user's text that runs inside the server.
package jinja
