import type { Postgres } from '../../../../storage/postgres/postgres.js';
import { type Counted, GuessStore } from '../guess-store.js';

const IDEMPOTENT = { isIdempotent: true };

interface Row {
  [column: string]: unknown;
  source: string;
  failures: number;
  blocked_until: number;
}

/** The failures of all auth servers together. */
export class PostgresGuessStore extends GuessStore {
  constructor(private readonly db: Postgres) {
    super();
  }

  count(names: readonly Counted[], nowMs: number): Promise<number> {
    const keys = names.map(({ key }) => key);
    return this.db.transaction(async (session) => {
      await session.query(LOCK, [keys]);
      const { rows } = await session.query<Row>(READ, [keys, nowMs]);
      const blockedUntil = Math.max(0, ...rows.map(({ blocked_until }) => blocked_until));
      if (blockedUntil > nowMs) return blockedUntil;
      const before = new Map(rows.map(({ source, failures }) => [source, failures]));
      const counted = names.map(({ key, after }) => after((before.get(key) ?? 0) + 1));
      await session.query(WRITE, [
        ...[keys, counted.map(({ failures }) => failures)],
        ...[counted.map(({ blockedUntil }) => blockedUntil), counted.map(({ forgetAt }) => forgetAt), nowMs],
      ]);
      return 0;
    });
  }

  async giveBack(key: string, free: number): Promise<void> {
    await this.db.write(
      `UPDATE guesses SET failures = failures - 1,
         blocked_until = CASE WHEN failures - 1 <= $1 THEN 0 ELSE blocked_until END
       WHERE source = $2 AND failures > 0`,
      [free, key],
    );
  }

  async forget(key: string): Promise<void> {
    await this.db.write('DELETE FROM guesses WHERE source = $1', [key], IDEMPOTENT);
  }

  async has(key: string): Promise<boolean> {
    const sql = 'SELECT EXISTS (SELECT FROM guesses WHERE source = $1) AS found';
    return (await this.db.read<{ found: boolean }>(sql, [key])).rows[0]?.found ?? false;
  }

  async add(key: string, forgetAt: number): Promise<void> {
    await this.db.write(
      `INSERT INTO guesses (source, failures, blocked_until, forget_at) VALUES ($1, 0, 0, $2)
       ON CONFLICT (source) DO UPDATE SET failures = 0, blocked_until = 0, forget_at = excluded.forget_at`,
      [key, forgetAt],
      IDEMPOTENT,
    );
  }
}

/** In one order everywhere, so that two attempts do not wait for each other. */
const LOCK = `
  SELECT pg_advisory_xact_lock(hashtextextended(key, 0)) FROM (SELECT key FROM unnest($1::text[]) k(key) ORDER BY key) k`;
const READ = 'SELECT source, failures, blocked_until FROM guesses WHERE source = ANY($1) AND forget_at > $2';
const WRITE = `
  WITH forgotten AS (
    DELETE FROM guesses WHERE source IN (
      SELECT source FROM guesses WHERE forget_at <= $5 AND source <> ALL($1) FOR UPDATE SKIP LOCKED
    )
  )
  INSERT INTO guesses (source, failures, blocked_until, forget_at)
  SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[])
  ON CONFLICT (source) DO UPDATE
    SET failures = excluded.failures, blocked_until = excluded.blocked_until, forget_at = excluded.forget_at`;
