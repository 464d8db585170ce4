-- Generated from ../source by db/generate.sh. DO NOT EDIT.
-- works with 10
-- Only SQLite's index needed more columns; Postgres skips runs fast enough.
SELECT 1;
