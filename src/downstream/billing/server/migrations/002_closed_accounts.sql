-- The accounts that their owners deleted.
CREATE TABLE closed_account (
  user_id text PRIMARY KEY,
  closed_at text NOT NULL
);
