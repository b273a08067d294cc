/**
 * Writes entries in their order. The locks make the order of `seq` the order of commits for each key, so that no entry
 * becomes visible before an older one of its key.
 */
const INSERT = `
  locked AS MATERIALIZED (
    SELECT count(pg_advisory_xact_lock(hashtextextended(k, 0))) AS n
    FROM (SELECT DISTINCT topic || ' ' || key AS k FROM unnest($2::text[], $3::text[]) i(topic, key) ORDER BY 1) keys
  ), added AS (
    INSERT INTO entries (id, topic, key, user_id, project_id, payload, other_key, created_at, state, due_ms, owner)
    SELECT id, topic, key, user_id, project_id, payload, other_key, $8, $9, 0, $10
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[]) WITH ORDINALITY
      i(id, topic, key, user_id, project_id, payload, other_key, place), locked
    WHERE locked.n >= 0 ORDER BY place
    ON CONFLICT (id) DO NOTHING
  )`;

export const ADD = `WITH ${INSERT} SELECT 1`;

/** Also releases an entry that another replica recovered meanwhile, as long as it is not being delivered. */
export const RELEASE = `
  WITH released AS (
    UPDATE entries e SET state = 'ready', due_ms = 0, owner = NULL, recovered = false,
      payload = coalesce(c.payload, e.payload)
    FROM unnest($11::text[], $12::text[]) c(id, payload)
    WHERE e.id = c.id AND (e.state = 'held' OR (e.state = 'ready' AND e.recovered AND e.owner IS NULL))
    RETURNING e.id, e.topic, e.user_id
  ), ${INSERT}
  SELECT * FROM released`;

export const UPDATE = `UPDATE entries SET payload = $2 WHERE id = $1 AND state = 'held'`;

export const REMOVE = `
  WITH removed AS (DELETE FROM entries WHERE id = ANY($1) RETURNING chars)
  SELECT coalesce(sum(chars), 0) AS chars FROM removed`;

/** The users with due entries, from the one after `$4` on: one index step for each user with ready entries. */
export const USERS = `
  WITH RECURSIVE users (user_id) AS (
    SELECT min(user_id) FROM entries WHERE topic = $1 AND state = 'ready'
    UNION ALL
    SELECT (SELECT min(e.user_id) FROM entries e WHERE e.topic = $1 AND e.state = 'ready' AND e.user_id > users.user_id)
    FROM users WHERE users.user_id IS NOT NULL
  )
  SELECT user_id FROM users u
  WHERE user_id <> ALL($5::text[]) AND EXISTS (
    SELECT FROM entries e WHERE e.topic = $1 AND e.state = 'ready' AND e.user_id = u.user_id AND e.due_ms <= $2
      AND (e.owner IS NULL OR e.owner = $3)
  )
  ORDER BY user_id <= $4 COLLATE "C", user_id LIMIT $6`;

/**
 * The due entries of these users without their payloads: of each user at most `$6` projects, from the one after the last
 * one served on, and of each project at most `$7` entries. With `$8`, a project with an entry that is being delivered, here
 * or at another replica, is left out, and so are the projects `$11` of the users `$10`.
 */
export const DUE = `
  SELECT e.id, e.user_id, e.project, e.chars
  FROM unnest($4::text[], $5::text[]) WITH ORDINALITY u(user_id, last, turn)
  CROSS JOIN LATERAL (
    WITH RECURSIVE projects (project) AS (
      SELECT min(project) FROM entries WHERE topic = $1 AND state = 'ready' AND user_id = u.user_id
      UNION ALL
      SELECT (SELECT min(n.project) FROM entries n
              WHERE n.topic = $1 AND n.state = 'ready' AND n.user_id = u.user_id AND n.project > projects.project)
      FROM projects WHERE projects.project IS NOT NULL
    )
    SELECT project, row_number() OVER (ORDER BY project <= u.last COLLATE "C", project) AS place FROM projects p
    WHERE EXISTS (
      SELECT FROM entries d WHERE d.topic = $1 AND d.state = 'ready' AND d.user_id = u.user_id AND d.project = p.project
        AND d.due_ms <= $2 AND (d.owner IS NULL OR d.owner = $3)
    ) AND NOT ($8 AND EXISTS (
      SELECT FROM entries d WHERE d.topic = $1 AND d.state = 'ready' AND d.user_id = u.user_id AND d.project = p.project
        AND (d.owner <> $3 OR d.id = ANY($9))
    )) AND NOT ($8 AND EXISTS (
      SELECT FROM unnest($10::text[], $11::text[]) g(user_id, project)
      WHERE g.user_id = u.user_id AND g.project = p.project
    ))
    ORDER BY place LIMIT $6
  ) p
  CROSS JOIN LATERAL (
    SELECT * FROM entries d
    WHERE d.topic = $1 AND d.state = 'ready' AND d.user_id = u.user_id AND d.project = p.project AND d.due_ms <= $2
      AND (d.owner IS NULL OR d.owner = $3) AND d.id <> ALL($9)
      AND NOT EXISTS (SELECT FROM entries o WHERE o.topic = $1 AND o.key = d.key AND o.seq < d.seq AND o.state = 'ready')
    ORDER BY seq LIMIT $7
  ) e
  ORDER BY u.turn, p.place, e.seq`;

/** Takes entries for this replica; those that another one has taken meanwhile are left out. */
export const CLAIM = `
  WITH free AS (
    SELECT id FROM entries e
    WHERE id = ANY($1) AND state = 'ready' AND due_ms <= $3 AND (owner IS NULL OR owner = $2)
      AND NOT EXISTS (SELECT FROM entries o WHERE o.topic = e.topic AND o.key = e.key AND o.seq < e.seq AND o.state = 'ready')
    FOR UPDATE SKIP LOCKED
  )
  UPDATE entries e SET owner = $2 FROM free WHERE e.id = free.id RETURNING e.*`;

export const GIVE_BACK = 'UPDATE entries SET owner = NULL WHERE id = ANY($1) AND owner = $2';

export const POSTPONE = `
  UPDATE entries SET due_ms = $2, attempts = $3, last_error = $4, owner = NULL WHERE id = $1 RETURNING topic`;

export const BURY = `UPDATE entries SET state = 'dead', last_error = $2, owner = NULL WHERE id = $1`;

/** No more than `$3`: a longer queue takes time to deliver anyway, and its other entries become due by themselves. */
export const WAKE = `
  UPDATE entries SET due_ms = 0 WHERE seq IN (
    SELECT seq FROM entries WHERE state = 'ready' AND topic = ANY($1) AND due_ms > $2 ORDER BY seq LIMIT $3
    FOR UPDATE SKIP LOCKED
  )`;

export const REPLAY = `
  UPDATE entries SET state = 'ready', due_ms = 0, attempts = 0 WHERE id = $1 AND state = 'dead' RETURNING topic`;

const OF_USER = `user_id = $1 AND topic = $2 AND ($3::text[] IS NULL OR key = ANY($3) OR other_key = ANY($3))
  AND ($4::text IS NULL OR project_id = $4)`;
export const PENDING = `SELECT * FROM entries WHERE ${OF_USER} AND ($5::text IS NULL OR state = $5) ORDER BY seq`;
export const IS_DELIVERING = `
  SELECT EXISTS (SELECT FROM entries WHERE ${OF_USER} AND state = 'ready' AND last_error IS NULL) AS found`;
export const COUNTS = `
  SELECT topic, count(*)::int AS entries FROM entries WHERE user_id = $1 AND topic = ANY($2) AND project_id = $3 GROUP BY topic`;
export const TOPICS = 'SELECT DISTINCT topic FROM entries';
/** The entry keeps its id in the first topic. */
export const READDRESS = `
  WITH taken AS (
    DELETE FROM entries WHERE seq IN (
      SELECT seq FROM entries WHERE topic = $1 AND state <> 'held' AND owner IS NULL FOR UPDATE SKIP LOCKED
    ) RETURNING *
  )
  INSERT INTO entries (id, topic, key, user_id, project_id, payload, other_key, created_at, state, due_ms, attempts, recovered, last_error)
  SELECT CASE place WHEN 1 THEN id ELSE gen_random_uuid()::text END, t.topic, key, user_id, project_id, payload, other_key, created_at,
    state, due_ms, attempts, recovered, last_error
  FROM taken, unnest($2::text[]) WITH ORDINALITY t(topic, place) ORDER BY seq, place`;
export const DEAD = `SELECT * FROM entries WHERE state = 'dead' ORDER BY seq LIMIT $1`;
export const STATS = `
  SELECT topic, state, count(*) AS entries, min(created_at) AS oldest FROM entries GROUP BY topic, state
  ORDER BY topic, state`;
export const SIZE = 'SELECT coalesce(sum(chars), 0) AS chars FROM entries';

/** Of these topics, those with due entries that no replica has taken, or this one. */
export const WAITING = `
  SELECT topic FROM unnest($1::text[]) t(topic)
  WHERE EXISTS (SELECT FROM entries e WHERE e.topic = t.topic AND state = 'ready' AND owner IS NULL AND due_ms <= $2)
    OR EXISTS (SELECT FROM entries e WHERE e.owner = $3 AND e.topic = t.topic AND state = 'ready' AND due_ms <= $2)`;

/**
 * The call behind an entry that a dead replica held may have happened or not. An entry that it was delivering is delivered
 * again.
 */
export const INHERIT = `
  UPDATE entries SET owner = NULL, recovered = recovered OR state = 'held', due_ms = CASE state WHEN 'held' THEN 0 ELSE due_ms END,
    state = CASE state WHEN 'held' THEN 'ready' ELSE state END
  WHERE owner = $1`;
