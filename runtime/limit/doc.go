// Package limit has the concurrency limits: global ones, those of tags, and the
// slots of deployments. It grants slots, knows who holds them and who waits, and
// takes back those whose holder has ended or is lost.
package limit
