-- The tags that a person has set, as JSON; NULL for none.
ALTER TABLE document ADD COLUMN tags text;
ALTER TABLE trash ADD COLUMN tags text;
