// Package clienttest holds flowlite against unmodified Prefect clients. For each
// file of cases it starts a server as `flowlite up` does, on SQLite or Postgres,
// or two that Redis joins, and runs the file with pytest beside it; each case is
// a subtest, and an error in a server's log fails the file even if the client did
// not mind. Each file meets each client and each database once; with
// -clienttest.all every client at every place.
//
// FLOWLITE_TEST_PREFECT lists virtualenvs with Prefect and pytest, separated as
// in PATH; `bash .ci/check clients` makes them. FLOWLITE_TEST_CASES is passed to
// pytest's -k. Without virtualenvs the tests are skipped, except where CI is set.
package clienttest
