-- Users of an external provider who deleted their account here: their older sign-ins are not valid.
CREATE TABLE ended_user (
  user_id text PRIMARY KEY,
  ended_at bigint NOT NULL -- milliseconds since 1970
);
