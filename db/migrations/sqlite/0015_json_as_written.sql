-- works with 10
-- SQLite keeps JSON as it is written; Postgres does from its own 0015 on.
SELECT 1;
