// Package commit has the unit of work that every use case writes with: one
// transaction, the events that it tells of, and what is published once it has
// committed. Group lets writes that arrive while others are under way share a
// transaction.
package commit
