-- The first answer to each `Idempotency-Key`.
CREATE TABLE answers (
  user_id text NOT NULL,
  key text NOT NULL,
  fingerprint text NOT NULL,
  answer text, -- JSON, or 'gone'; NULL while it is not known
  created_ms bigint NOT NULL,
  project_id text,
  conversation_id text,
  message_id text,
  owner text, -- the replica that works on the answer
  PRIMARY KEY (user_id, key)
);
CREATE INDEX answers_age ON answers (created_ms);
CREATE INDEX answers_owner ON answers (owner) WHERE owner IS NOT NULL;
