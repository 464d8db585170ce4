// Package services runs the background services: scheduling, late runs, expiry of
// pauses and leases, automations, and deletion of what is old. A service calls one
// use case at intervals, and only while it holds its lease, so that of many servers
// one does the work.
package services
