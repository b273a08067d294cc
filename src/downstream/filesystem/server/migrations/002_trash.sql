-- Deleted documents that can be restored.
CREATE TABLE trash (
  user_id text COLLATE "C" NOT NULL,
  project_id text COLLATE "C" NOT NULL,
  path text COLLATE "C" NOT NULL,
  version text COLLATE "C" NOT NULL,
  first_version text NOT NULL,
  title text NOT NULL,
  media_type text NOT NULL,
  bytes bigint NOT NULL,
  updated_at text COLLATE "C" NOT NULL,
  file text COLLATE "C" NOT NULL,
  sha256 text NOT NULL,
  original_file text,
  original_sha256 text,
  arrived_ms double precision NOT NULL,
  stored_bytes bigint NOT NULL,
  warnings text,
  pages text,
  original_type text,
  deleted_at text COLLATE "C" NOT NULL,
  PRIMARY KEY (user_id, project_id, path, file),
  FOREIGN KEY (user_id, project_id) REFERENCES project
);
CREATE INDEX trash_by_age ON trash (deleted_at);
