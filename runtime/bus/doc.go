// Package bus carries hints of what changed: in memory for one process. A
// message may be lost and is never the truth; who hears one reads the database.
//
// Import law: bus imports core only.
package bus
