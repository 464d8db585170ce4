#!/bin/sh
# Regenerates the migrations of both engines from db/migrations/source, and
# db/row, db/sqlitedb, and db/pgdb from queries/ and the migrations.
set -e
cd "$(dirname "$0")/.."
rm -f db/migrations/sqlite/*.sql db/migrations/postgres/*.sql
go run ./db/internal/migrate db/migrations
rm -rf db/sqlitedb db/pgdb db/row
if command -v sqlc >/dev/null && [ "$(sqlc version)" = v1.31.1 ]; then
  sqlc generate
else
  go run github.com/sqlc-dev/sqlc/cmd/sqlc@v1.31.1 generate
fi
mkdir -p db/row
go run ./db/internal/sqlcalias -module github.com/flowlite/flowlite/db/row -name row -out db/row db/sqlitedb db/pgdb
