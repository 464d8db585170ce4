// Package bench measures a running server from outside, over HTTP, as its
// users do.
//
// Import law: imports core only.
package bench
