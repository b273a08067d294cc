-- A further key that an entry is about, for instance the path from which a document was moved.
ALTER TABLE entries ADD COLUMN other_key text;
