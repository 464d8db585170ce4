// Package bus carries hints of what changed, and grants the leases of loops: in
// memory for one process, through Postgres or Redis for many. A message may be
// lost and is never the truth; who hears one reads the database.
//
// A Linked bus is a Memory bus whose messages also travel over a link to the
// other servers. A link only sends and hears texts; queueing, packing, outages
// and what subscribers are told of them are the same for all.
package bus
