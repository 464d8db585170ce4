-- Generated from ../source by db/generate.sh. DO NOT EDIT.
-- works with 10
-- The flows that a worker executes in its own process; NULL: it did not say.
ALTER TABLE worker ADD COLUMN flows TEXT;
