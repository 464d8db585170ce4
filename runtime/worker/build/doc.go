// Package build turns Go flow sources into binaries.
//
// A flow is named path/file.go:Name, an exported variable of a package. The
// package is compiled with a generated main that is laid over the tree with
// `go build -overlay`, so nothing is ever written beside the user's files. A
// package main is compiled as it is: it calls flowlite.Main itself.
//
// Binaries are kept by the hash of what they are made of. A small index of
// file sizes and times answers for unchanged source without starting the Go
// toolchain, in about a millisecond.
package build
