-- The backends that share this database. Each raises its own `beat` all the time; one whose beat stands still is dead.
CREATE TABLE replica (
  id text PRIMARY KEY,
  beat bigint NOT NULL
);
-- The announcements of each backend to the others, such as a sign-out. Rows are deleted after some minutes.
CREATE TABLE announcement (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  origin text NOT NULL,
  topic text NOT NULL,
  body text NOT NULL -- JSON
);
CREATE INDEX announcement_by_time ON announcement (at);
