// Package bench measures a running server from outside, over HTTP, as its
// users do.
package bench
