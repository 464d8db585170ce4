// Package schedule reads the three kinds of schedule (interval, cron, rrule)
// and says when they fire.
//
// A rule's times are a function of the rule alone, never of the moment it is
// asked: two sweeps that look at the same day find the same slots, so that the
// idempotency key of a slot makes it fire once. All calendar arithmetic is on
// the wall clock of the rule's zone, which clock.go turns into instants.
package schedule
