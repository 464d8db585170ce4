// Package seal encrypts what must not be read from a copy of the database,
// with AES-256-GCM.
//
// A sealed text is "1:KEY:BASE64", where KEY names the key by the beginning of
// its SHA-256 and BASE64 holds nonce and ciphertext. The first key of a ring
// seals; the others only open, so that keys can be changed one after another:
// put the new key first, start the server (it seals everything anew), take the
// old key out.
package seal
