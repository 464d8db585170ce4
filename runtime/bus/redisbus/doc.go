// Package redisbus joins the servers of a Postgres database through Redis. It is a
// package of its own because the Redis client is the largest part of a program that
// links it; programs that embed flowlite without Redis do not.
package redisbus
