-- Generated from ../source by db/generate.sh. DO NOT EDIT.
-- The related resources of an event stand in its own row; a row for each of
-- them beside it made half of what an event costs to write.
DROP TABLE event_resource;
