-- Generated from ../source by db/generate.sh. DO NOT EDIT.
-- works with 10
-- Postgres fills in what 0013 added in a step of its own.
SELECT 1;
