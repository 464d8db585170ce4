-- Generated from ../source by db/generate.sh. DO NOT EDIT.
-- works with 10
-- SQLite keeps JSON as it is written; Postgres does from its own 0016 on.
SELECT 1;
