// Package automation has the automations: it checks and stores them, counts events
// in the buckets of their triggers, fires, and runs actions. It stands beside
// package orchestrate and changes runs only through its Actor.
package automation
