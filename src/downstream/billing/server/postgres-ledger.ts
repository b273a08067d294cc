import { randomUUID } from 'node:crypto';
import type { Postgres, Session } from '../../../storage/postgres/postgres.js';
import type { LedgerRow } from '../billing.contract.js';
import { type Balance, type Grant, Ledger, type LedgerOptions } from './ledger.js';

/** How often expired reservations are deleted. */
const PURGE_MS = 60_000;

/** The ledger in PostgreSQL. Several billing servers can share it: a change locks the row of its account. */
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

  reserve(userId: string, messageId: string, credits: number): Promise<Balance & { held: boolean }> {
    return this.change(userId, async (session, balance) => {
      const { rows } = await session.query<{ reserved: number; known: boolean }>(RESERVABLE, [
        ...[userId, messageId, captureKey(messageId), this.now()],
      ]);
      const { reserved, known } = rows[0] as (typeof rows)[0];
      if (known) return { credits: balance, reserved, held: true };
      if (balance - reserved < credits) return { credits: balance, reserved, held: false };
      await session.query(HOLD, [userId, messageId, credits, this.expiry()]);
      return { credits: balance, reserved: reserved + credits, held: true };
    });
  }

  async capture(userId: string, messageId: string, credits: number): Promise<Balance & { charged: number }> {
    if (await this.isClosed(userId)) return { credits: 0, reserved: 0, charged: 0 };
    return this.change(userId, async (session, balance) => {
      const reserved = await this.end(session, userId, messageId);
      const row = { key: captureKey(messageId), kind: 'capture' as const, messageId, credits: 0 - credits };
      const { before, after } = await this.append(session, userId, row);
      return { credits: after ?? balance, reserved, charged: 0 - (before ?? 0 - credits) };
    });
  }

  release(userId: string, messageId: string): Promise<Balance> {
    return this.change(userId, async (session, credits) => {
      return { credits, reserved: await this.end(session, userId, messageId) };
    });
  }

  grant(userId: string, { id, credits, note }: Grant): Promise<Balance & { granted: number }> {
    return this.change(userId, async (session, balance) => {
      const row = { key: `grant:${id}`, kind: 'grant' as const, messageId: null, credits, note };
      const { before, after } = await this.append(session, userId, row);
      const { rows } = await session.query<{ reserved: number }>(RESERVED, [userId, this.now()]);
      return { credits: after ?? balance, reserved: rows[0]?.reserved ?? 0, granted: before ?? credits };
    });
  }

  async closeAccount(userId: string, closedAt: string): Promise<void> {
    await this.db.transaction(async (session) => {
      if ((await session.query(CLOSE, [userId, closedAt])).rowCount === 0) return;
      await session.query(LOCK, [userId]);
      for (const table of ['ledger', 'reservation', 'account']) {
        await session.query(`DELETE FROM ${table} WHERE user_id = $1`, [userId]);
      }
    });
  }

  private async isClosed(userId: string): Promise<boolean> {
    return (await this.db.read<{ closed: boolean }>(IS_CLOSED, [userId])).rows[0]?.closed ?? false;
  }

  async balance(userId: string): Promise<Balance> {
    const read = async () =>
      (await this.db.read<Balance & { [name: string]: number }>(BALANCE, [userId, this.now()])).rows[0];
    const known = await read();
    if (known !== undefined) return { credits: known.credits, reserved: known.reserved };
    await this.change(userId, async () => undefined);
    return this.balance(userId);
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

  /** Runs one transaction that has locked an account, which is created where it does not exist. */
  private async change<T>(userId: string, work: (session: Session, balance: number) => Promise<T>): Promise<T> {
    await this.purge();
    return this.db.transaction(async (session) => {
      const lock = async () => (await session.query<{ balance: number }>(LOCK, [userId])).rows[0]?.balance;
      return work(session, (await lock()) ?? (await this.create(session, userId)) ?? ((await lock()) as number));
    });
  }

  /** @returns the balance; undefined where another transaction has created the account meanwhile */
  private async create(session: Session, userId: string): Promise<number | undefined> {
    if ((await session.query(CREATE, [userId])).rowCount === 0) return undefined;
    const wasClosed = ((await session.query(FIND_CLOSED, [userId])).rowCount ?? 0) > 0;
    const credits = wasClosed ? 0 : this.options.startingCredits;
    const start = { key: 'grant:start', kind: 'grant' as const, messageId: null, credits };
    return (await this.append(session, userId, start)).after;
  }

  /** Ends the reservation of a message. @returns the credits that other messages still hold */
  private async end(session: Session, userId: string, messageId: string): Promise<number> {
    const { rows } = await session.query<{ reserved: number }>(END, [userId, messageId, this.expiry(), this.now()]);
    return rows[0]?.reserved ?? 0;
  }

  /** Writes a row once. @returns the balance after it, or the credits of the earlier row with this key */
  private async append(
    session: Session,
    userId: string,
    row: { key: string; kind: LedgerRow['kind']; messageId: string | null; credits: number; note?: string | undefined },
  ): Promise<{ before?: number; after?: number }> {
    const note = row.note === undefined ? null : JSON.stringify(row.note);
    const createdAt = new Date(this.now()).toISOString();
    const { rows } = await session.query<{ before: number | null; after: number | null }>(APPEND, [
      ...[userId, row.key, randomUUID(), row.kind, row.messageId, row.credits, createdAt, note],
    ]);
    const { before, after } = rows[0] as (typeof rows)[0];
    return { ...(before === null ? {} : { before }), ...(after === null ? {} : { after }) };
  }

  private async purge(): Promise<void> {
    if (this.now() < this.purgedMs + PURGE_MS) return;
    this.purgedMs = this.now();
    await this.db.write(PURGE, [this.now()]);
  }

  private expiry(): number {
    return this.now() + this.options.reservationTtlMs;
  }
}

function toRow({ note, ...row }: Record<string, unknown>): LedgerRow {
  return { ...row, ...(note === null ? {} : { note: JSON.parse(note as string) as string }) } as LedgerRow;
}

const captureKey = (messageId: string) => `capture:${messageId}`;

const LOCK = 'SELECT balance FROM account WHERE user_id = $1 FOR UPDATE';
const CREATE = 'INSERT INTO account (user_id, balance) VALUES ($1, 0) ON CONFLICT DO NOTHING';
const RESERVED = `SELECT coalesce(sum(credits), 0) AS reserved FROM reservation WHERE user_id = $1 AND expires_at > $2`;
const RESERVABLE = `
  SELECT coalesce(sum(credits), 0) AS reserved,
    coalesce(bool_or(message_id = $2), false) OR EXISTS (SELECT FROM ledger WHERE user_id = $1 AND key = $3) AS known
  FROM reservation WHERE user_id = $1 AND expires_at > $4`;
const HOLD = `
  INSERT INTO reservation (user_id, message_id, credits, expires_at) VALUES ($1, $2, $3, $4)
  ON CONFLICT (user_id, message_id) DO UPDATE SET credits = excluded.credits, expires_at = excluded.expires_at`;
/** The sum does not see the change of the same statement, so the message is left out. */
const END = `
  WITH ended AS (
    INSERT INTO reservation (user_id, message_id, credits, expires_at) VALUES ($1, $2, 0, $3)
    ON CONFLICT (user_id, message_id) DO UPDATE SET credits = 0, expires_at = excluded.expires_at
  )
  SELECT coalesce(sum(credits), 0) AS reserved FROM reservation
  WHERE user_id = $1 AND message_id <> $2 AND expires_at > $4`;
const APPEND = `
  WITH earlier AS (
    SELECT credits FROM ledger WHERE user_id = $1 AND key = $2
  ), changed AS (
    UPDATE account SET balance = balance + $6 WHERE user_id = $1 AND NOT EXISTS (SELECT FROM earlier) RETURNING balance
  ), added AS (
    INSERT INTO ledger (id, user_id, key, kind, message_id, credits, balance, created_at, note)
    SELECT $3, $1, $2, $4, $5, $6, balance, $7, $8 FROM changed
  )
  SELECT (SELECT credits FROM earlier) AS before, (SELECT balance FROM changed) AS after`;
const BALANCE = `
  SELECT balance AS credits, (
    SELECT coalesce(sum(credits), 0) FROM reservation r WHERE r.user_id = a.user_id AND expires_at > $2
  ) AS reserved
  FROM account a WHERE user_id = $1`;
const ROWS = `
  SELECT id, created_at, kind, message_id, credits, note FROM ledger
  WHERE user_id = $1 ORDER BY seq DESC LIMIT $2 OFFSET $3`;
const TOTAL = 'SELECT count(*) AS total FROM ledger WHERE user_id = $1';
const CLOSE = `
  INSERT INTO closed_account (user_id, closed_at) VALUES ($1, $2)
  ON CONFLICT (user_id) DO UPDATE SET closed_at = excluded.closed_at WHERE closed_account.closed_at < excluded.closed_at`;
const FIND_CLOSED = 'SELECT FROM closed_account WHERE user_id = $1';
const IS_CLOSED = `
  SELECT EXISTS (SELECT FROM closed_account WHERE user_id = $1)
    AND NOT EXISTS (SELECT FROM account WHERE user_id = $1) AS closed`;
const PURGE = `
  DELETE FROM reservation WHERE (user_id, message_id) IN (
    SELECT user_id, message_id FROM reservation WHERE expires_at <= $1 FOR UPDATE SKIP LOCKED
  )`;
