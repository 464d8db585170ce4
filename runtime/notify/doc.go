// Package notify delivers what automations have to say: to chats, pagers and
// mailboxes as a notification block describes them, and to webhooks. A library
// knows the services; this package turns blocks, and the URLs that Apprise
// made common, into its own.
package notify
