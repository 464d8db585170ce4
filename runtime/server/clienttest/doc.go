// Package clienttest holds flowlite against unmodified Prefect clients. For each
// client, database and file of cases it starts a server as `flowlite up` does
// and runs the file with pytest beside it; each case is a subtest, and an error
// in the server's log fails the file even if the client did not mind.
//
// FLOWLITE_TEST_PREFECT lists virtualenvs with Prefect and pytest, separated as
// in PATH; `bash .ci/check clients` makes them. FLOWLITE_TEST_CASES is passed to
// pytest's -k. Without virtualenvs the tests are skipped, except where CI is set.
//
// Import law: tests only; they may import server and db.
package clienttest
