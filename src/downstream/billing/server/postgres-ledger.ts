import { randomUUID } from 'node:crypto';
import type { Postgres } from '../../../storage/postgres/postgres.js';
import { StorageUnavailable } from '../../../storage/storage-errors.js';
import type { LedgerRow } from '../billing.contract.js';
import { type Balance, type Grant, Ledger, type LedgerOptions } from './ledger.js';

/** How often expired reservations are deleted. */
const PURGE_MS = 60_000;
/** Each attempt fails only where another change of the same account succeeded. */
const MAX_ATTEMPTS = 100;
const UNIQUE_VIOLATION = '23505';
const IDEMPOTENT = { isIdempotent: true };

type Found<T> = T & Record<string, unknown>;
type Reserved = Found<Balance & { known: boolean; enough: boolean; done: boolean }>;
type Appended = Found<Balance & { before: number | null }>;

interface NewRow {
  key: string;
  kind: LedgerRow['kind'];
  messageId: string | null;
  credits: number;
  note?: string | undefined;
}

/**
 * The ledger in PostgreSQL. Several billing servers can share it. Each change is one statement; where another change of the
 * account came first, it changes nothing and is made again.
 */
export class PostgresLedger extends Ledger {
  private readonly now: () => number;
  private purgedMs = 0;

  constructor(
    private readonly db: Postgres,
    private readonly options: LedgerOptions,
  ) {
    super();
    this.now = options.now ?? Date.now;
  }

  async reserve(userId: string, messageId: string, credits: number): Promise<Balance & { held: boolean }> {
    await this.purge();
    return this.repeated(userId, async () => {
      const { rows } = await this.db.write<Reserved>(
        RESERVE,
        [userId, messageId, captureKey(messageId), this.now(), credits, this.expiry()],
        IDEMPOTENT,
      );
      const [row] = rows;
      if (row === undefined) return undefined;
      const { credits: balance, reserved, known, enough, done } = row;
      if (done) return { credits: balance, reserved: reserved + credits, held: true };
      return known || !enough ? { credits: balance, reserved, held: known } : 'conflict';
    });
  }

  async capture(userId: string, messageId: string, credits: number): Promise<Balance & { charged: number }> {
    if (await this.isClosed(userId)) return { credits: 0, reserved: 0, charged: 0 };
    const row = { key: captureKey(messageId), kind: 'capture' as const, messageId, credits: 0 - credits };
    const { before, ...balance } = await this.append(userId, row);
    return { ...balance, charged: before === null ? credits : 0 - before };
  }

  release(userId: string, messageId: string): Promise<Balance> {
    return this.repeated(userId, async () => {
      const values = [userId, messageId, this.expiry(), this.now()];
      return (await this.db.write<Found<Balance>>(END, values, IDEMPOTENT)).rows[0];
    });
  }

  async grant(userId: string, { id, credits, note }: Grant): Promise<Balance & { granted: number }> {
    const row = { key: `grant:${id}`, kind: 'grant' as const, messageId: null, credits, note };
    const { before, ...balance } = await this.append(userId, row);
    return { ...balance, granted: before ?? credits };
  }

  async closeAccount(userId: string, closedAt: string): Promise<void> {
    await this.db.transaction(async (session) => {
      if ((await session.query(CLOSE, [userId, closedAt])).rowCount === 0) return;
      // Changes of the account that are under way end first.
      await session.query('SELECT FROM account WHERE user_id = $1 FOR UPDATE', [userId]);
      for (const table of ['ledger', 'reservation', 'account']) {
        await session.query(`DELETE FROM ${table} WHERE user_id = $1`, [userId]);
      }
    });
  }

  private async isClosed(userId: string): Promise<boolean> {
    return (await this.db.read<{ closed: boolean }>(IS_CLOSED, [userId])).rows[0]?.closed ?? false;
  }

  balance(userId: string): Promise<Balance> {
    return this.repeated(userId, async () => {
      return (await this.db.read<Found<Balance>>(BALANCE, [userId, this.now()])).rows[0];
    });
  }

  async rows(userId: string, limit: number, offset: number): Promise<{ rows: LedgerRow[]; total: number }> {
    await this.balance(userId);
    const { rows } = await this.db.read<Record<string, unknown>>(ROWS, [userId, limit, offset]);
    const { rows: counted } = await this.db.read<{ total: number }>(TOTAL, [userId]);
    return { rows: rows.map(toRow), total: counted[0]?.total ?? 0 };
  }

  /** The connections belong to the module that opened them. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Writes a row once for each key, and ends the reservation of its message. @returns the credits of an earlier row too */
  private append(userId: string, row: NewRow): Promise<Balance & { before: number | null }> {
    const note = row.note === undefined ? null : JSON.stringify(row.note);
    return this.repeated(userId, async () => {
      const values = [
        ...[userId, row.key, randomUUID(), row.kind, row.messageId, row.credits, this.time(), note],
        ...[this.expiry(), this.now()],
      ];
      try {
        return (await this.db.write<Appended>(APPEND, values, IDEMPOTENT)).rows[0];
      } catch (error) {
        if ((error as { code?: string }).code !== UNIQUE_VIOLATION) throw error;
        return 'conflict';
      }
    });
  }

  /** Runs `change` until there was no conflict; undefined: there is no account yet. */
  private async repeated<T>(userId: string, change: () => Promise<T | 'conflict' | undefined>): Promise<T> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const result = await change();
      if (result === undefined) await this.create(userId);
      else if (result !== 'conflict') return result;
    }
    throw new StorageUnavailable('An account is changed too often', { isRepeatable: false });
  }

  private async create(userId: string): Promise<void> {
    await this.db.write(CREATE, [userId, this.options.startingCredits, randomUUID(), this.time()], IDEMPOTENT);
  }

  private async purge(): Promise<void> {
    if (this.now() < this.purgedMs + PURGE_MS) return;
    this.purgedMs = this.now();
    await this.db.write(PURGE, [this.now()], IDEMPOTENT);
  }

  private time(): string {
    return new Date(this.now()).toISOString();
  }

  private expiry(): number {
    return this.now() + this.options.reservationTtlMs;
  }
}

function toRow({ note, ...row }: Record<string, unknown>): LedgerRow {
  return { ...row, ...(note === null ? {} : { note: JSON.parse(note as string) as string }) } as LedgerRow;
}

const captureKey = (messageId: string) => `capture:${messageId}`;

const CREATE = `
  WITH made AS (
    INSERT INTO account (user_id, balance)
    SELECT $1, CASE WHEN EXISTS (SELECT FROM closed_account WHERE user_id = $1) THEN 0 ELSE $2::bigint END
    ON CONFLICT DO NOTHING RETURNING balance
  )
  INSERT INTO ledger (id, user_id, key, kind, credits, balance, created_at)
  SELECT $3, $1, 'grant:start', 'grant', balance, balance, $4 FROM made`;
/**
 * The update waits for other changes of the account, and changes nothing where one of them came first: then the sums, which
 * are as of the begin of the statement, may be wrong.
 */
const RESERVE = `
  WITH before AS (
    SELECT balance, version FROM account WHERE user_id = $1
  ), held AS (
    SELECT coalesce(sum(credits), 0) AS reserved,
      coalesce(bool_or(message_id = $2), false) OR EXISTS (SELECT FROM ledger WHERE user_id = $1 AND key = $3) AS known
    FROM reservation WHERE user_id = $1 AND expires_at > $4
  ), first AS (
    UPDATE account a SET version = a.version + 1 FROM before, held
    WHERE a.user_id = $1 AND a.version = before.version AND NOT known AND before.balance - reserved >= $5
    RETURNING a.user_id
  ), added AS (
    INSERT INTO reservation (user_id, message_id, credits, expires_at) SELECT user_id, $2, $5, $6 FROM first
    ON CONFLICT (user_id, message_id) DO UPDATE SET credits = excluded.credits, expires_at = excluded.expires_at
  )
  SELECT balance AS credits, reserved, known, balance - reserved >= $5 AS enough, EXISTS (SELECT FROM first) AS done
  FROM before, held`;
/** The credits that are held for other messages than `message`: a sum does not see changes of its own statement. */
const heldWithout = (message: string, now: string) => `(
  SELECT coalesce(sum(credits), 0) FROM reservation
  WHERE user_id = $1 AND message_id IS DISTINCT FROM ${message} AND expires_at > ${now})`;
const ended = (message: string, expiry: string) => `
  INSERT INTO reservation (user_id, message_id, credits, expires_at)
  SELECT user_id, ${message}, 0, ${expiry} FROM account WHERE user_id = $1 AND ${message} IS NOT NULL
  ON CONFLICT (user_id, message_id) DO UPDATE SET credits = 0, expires_at = excluded.expires_at`;
const END = `
  WITH ended AS (${ended('$2::text', '$3')})
  SELECT balance AS credits, ${heldWithout('$2', '$4')} AS reserved FROM account WHERE user_id = $1`;
/** Of two at the same time with one key, the second fails at the unique key. */
const APPEND = `
  WITH earlier AS (
    SELECT credits FROM ledger WHERE user_id = $1 AND key = $2
  ), changed AS (
    UPDATE account SET balance = balance + $6, version = version + 1
    WHERE user_id = $1 AND NOT EXISTS (SELECT FROM earlier) RETURNING balance
  ), added AS (
    INSERT INTO ledger (id, user_id, key, kind, message_id, credits, balance, created_at, note)
    SELECT $3, $1, $2, $4, $5, $6, balance, $7, $8 FROM changed
  ), ended AS (${ended('$5::text', '$9')})
  SELECT (SELECT credits FROM earlier) AS before, coalesce((SELECT balance FROM changed), balance) AS credits,
    ${heldWithout('$5', '$10')} AS reserved
  FROM account WHERE user_id = $1`;
const BALANCE = `
  SELECT balance AS credits, ${heldWithout('NULL', '$2')} AS reserved FROM account WHERE user_id = $1`;
const ROWS = `
  SELECT id, created_at, kind, message_id, credits, note FROM ledger
  WHERE user_id = $1 ORDER BY seq DESC LIMIT $2 OFFSET $3`;
const TOTAL = 'SELECT count(*) AS total FROM ledger WHERE user_id = $1';
const CLOSE = `
  INSERT INTO closed_account (user_id, closed_at) VALUES ($1, $2)
  ON CONFLICT (user_id) DO UPDATE SET closed_at = excluded.closed_at WHERE closed_account.closed_at < excluded.closed_at`;
const IS_CLOSED = `
  SELECT EXISTS (SELECT FROM closed_account WHERE user_id = $1)
    AND NOT EXISTS (SELECT FROM account WHERE user_id = $1) AS closed`;
const PURGE = `
  DELETE FROM reservation WHERE (user_id, message_id) IN (
    SELECT user_id, message_id FROM reservation WHERE expires_at <= $1 FOR UPDATE SKIP LOCKED
  )`;
