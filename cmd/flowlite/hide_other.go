//go:build !linux

package main

// hideProcess does nothing: only Linux has such a setting.
func hideProcess() {}
