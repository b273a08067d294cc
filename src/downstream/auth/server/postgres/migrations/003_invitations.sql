CREATE TABLE invitation (
  invitation_id text PRIMARY KEY,
  digest text NOT NULL UNIQUE,
  email text, -- null: for anybody
  created_by text NOT NULL,
  created_at text NOT NULL COLLATE "C",
  expires_at text NOT NULL COLLATE "C",
  used_at text,
  used_by text
);
CREATE INDEX invitation_by_age ON invitation (created_at);
