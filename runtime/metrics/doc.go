// Package metrics exports what a server counts in the format of Prometheus.
// A server without it counts nothing.
package metrics
