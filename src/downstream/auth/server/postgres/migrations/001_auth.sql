CREATE TABLE account (
  user_id text PRIMARY KEY,
  email text NOT NULL UNIQUE,
  password_hash text NOT NULL,
  demo boolean NOT NULL,
  created_at text NOT NULL
);
CREATE TABLE revocation (
  token_id text PRIMARY KEY,
  expires_at bigint NOT NULL -- milliseconds since 1970
);
CREATE INDEX revocation_by_expiry ON revocation (expires_at);
CREATE TABLE guesses (
  source text PRIMARY KEY, -- a hashed account or address
  failures bigint NOT NULL,
  blocked_until bigint NOT NULL,
  forget_at bigint NOT NULL
);
CREATE INDEX guesses_by_end ON guesses (forget_at);
CREATE TABLE api_key (
  key_id text PRIMARY KEY,
  user_id text NOT NULL,
  name text NOT NULL, -- as JSON, because a name may contain U+0000
  digest text NOT NULL UNIQUE,
  scopes text NOT NULL, -- JSON
  project_id text,
  created_at text NOT NULL,
  expires_at text,
  last_used_at text
);
CREATE INDEX api_key_by_user ON api_key (user_id, created_at);
CREATE TABLE seen_user (
  user_id text PRIMARY KEY,
  email text NOT NULL,
  operator boolean NOT NULL
);
CREATE INDEX seen_user_by_email ON seen_user (lower(email));
-- A person who can read this table can sign in as any user.
CREATE TABLE signing_key (
  kid text PRIMARY KEY,
  created_at text NOT NULL,
  private_jwk text NOT NULL -- JSON
);
