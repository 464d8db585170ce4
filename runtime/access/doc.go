// Package access decides who may talk to a server: whether the credentials of a
// request are right, and whether they are those of the server or of a flow run,
// how often an address may be wrong, and whether the Host that a request names
// is this server's.
package access
