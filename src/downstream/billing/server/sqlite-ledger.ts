import { randomUUID } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { openDatabase, repeatable, transaction } from '../../../storage/sqlite.js';
import { scrubSoon } from '../../../storage/scrub.js';
import type { LedgerRow } from '../billing.contract.js';
import { type Balance, type Grant, Ledger, type LedgerOptions } from './ledger.js';

export const LEDGER_MIGRATIONS = [
  // `balance` is the sum of the account's rows up to and including this one. It is read without adding up, and the
  // database itself refuses a row that would make it negative.
  `CREATE TABLE ledger (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     user_id TEXT NOT NULL,
     key TEXT NOT NULL,
     kind TEXT NOT NULL CHECK (kind IN ('grant', 'capture')),
     message_id TEXT,
     credits INTEGER NOT NULL,
     balance INTEGER NOT NULL CHECK (balance >= 0),
     created_at TEXT NOT NULL,
     UNIQUE (user_id, key)
   ) STRICT;
   CREATE INDEX ledger_by_user ON ledger (user_id, seq);
   CREATE TABLE reservation (
     user_id TEXT NOT NULL,
     message_id TEXT NOT NULL,
     credits INTEGER NOT NULL CHECK (credits >= 0),
     expires_at INTEGER NOT NULL,
     PRIMARY KEY (user_id, message_id)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX reservation_by_expiry ON reservation (expires_at);`,
  // Messages that were answered while billing was unavailable are owed: a balance may be negative.
  `CREATE TABLE ledger_owing (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     user_id TEXT NOT NULL,
     key TEXT NOT NULL,
     kind TEXT NOT NULL CHECK (kind IN ('grant', 'capture')),
     message_id TEXT,
     credits INTEGER NOT NULL,
     balance INTEGER NOT NULL,
     created_at TEXT NOT NULL,
     UNIQUE (user_id, key)
   ) STRICT;
   INSERT INTO ledger_owing SELECT * FROM ledger;
   DROP TABLE ledger;
   ALTER TABLE ledger_owing RENAME TO ledger;
   CREATE INDEX ledger_by_user ON ledger (user_id, seq)`,
  'ALTER TABLE ledger ADD COLUMN note TEXT',
  // The accounts that their owners deleted.
  `CREATE TABLE closed_account (
     user_id TEXT PRIMARY KEY,
     closed_at TEXT NOT NULL
   ) STRICT, WITHOUT ROWID`,
];

/**
 * The embedded ledger. A reservation that has ended stays as one of 0 credits until it expires, so that a late
 * repetition of it holds no credits.
 */
export class SqliteLedger extends Ledger {
  private readonly db: DatabaseSync;
  private readonly now: () => number;
  private readonly statements: Record<keyof typeof SQL, StatementSync>;

  constructor(
    file: string,
    private readonly options: LedgerOptions,
  ) {
    super();
    this.now = options.now ?? Date.now;
    this.db = openDatabase(file, LEDGER_MIGRATIONS);
    this.statements = Object.fromEntries(
      Object.entries(SQL).map(([name, sql]) => [name, this.db.prepare(sql)]),
    ) as typeof this.statements;
  }

  reserve(userId: string, messageId: string, credits: number): Promise<Balance & { held: boolean }> {
    return this.change(userId, (before) => {
      const known = this.statements.reservation.get(userId, messageId) ?? this.captured(userId, messageId);
      if (known === undefined) {
        if (before.credits - before.reserved < credits) return { held: false };
        this.statements.hold.run(userId, messageId, credits, this.expiry());
      }
      return { held: true };
    });
  }

  async capture(userId: string, messageId: string, credits: number): Promise<Balance & { charged: number }> {
    if (this.isClosed(userId)) return { credits: 0, reserved: 0, charged: 0 };
    const capture = () => {
      this.statements.end.run(userId, messageId, this.expiry());
      const earlier = this.captured(userId, messageId);
      if (earlier !== undefined) return { charged: 0 - Number(earlier['credits']) };
      this.append(userId, { key: captureKey(messageId), kind: 'capture', messageId, credits: 0 - credits });
      return { charged: credits };
    };
    return this.change(userId, capture, transaction);
  }

  release(userId: string, messageId: string): Promise<Balance> {
    return this.change(userId, () => {
      this.statements.end.run(userId, messageId, this.expiry());
      return {};
    });
  }

  grant(userId: string, { id, credits, note }: Grant): Promise<Balance & { granted: number }> {
    const key = `grant:${id}`;
    const grant = () => {
      const earlier = this.statements.byKey.get(userId, key);
      if (earlier !== undefined) return { granted: Number(earlier['credits']) };
      this.append(userId, { key, kind: 'grant', messageId: null, credits, note });
      return { granted: credits };
    };
    return this.change(userId, grant, transaction);
  }

  async closeAccount(userId: string, closedAt: string): Promise<void> {
    transaction(this.db, () => {
      if (this.statements.close.run(userId, closedAt).changes === 0) return;
      this.statements.deleteRows.run(userId);
      this.statements.deleteReservations.run(userId);
    });
    scrubSoon(this.db);
  }

  balance(userId: string): Promise<Balance> {
    return this.change(userId, () => ({}));
  }

  async rows(userId: string, limit: number, offset: number): Promise<{ rows: LedgerRow[]; total: number }> {
    const { rows, total } = await this.change(userId, () => ({
      rows: this.statements.rows.all(userId, limit, offset).map(toRow),
      total: Number(this.statements.total.get(userId)?.['total']),
    }));
    return { rows, total };
  }

  close(): Promise<void> {
    this.db.close();
    return Promise.resolve();
  }

  /**
   * Runs one transaction on an account that exists, and returns the balance after it. Captures and grants wait for the
   * disk (`transaction`). A power cut can lose the other changes: reservations, which would have expired anyway.
   */
  private change<T extends object>(
    userId: string,
    work: (before: Balance) => T,
    within: <R>(db: DatabaseSync, work: () => R) => R = repeatable,
  ): Promise<Balance & T> {
    const run = () => {
      this.statements.expire.run(this.now());
      if (this.statements.balance.get(userId) === undefined) {
        const credits = this.statements.closed.get(userId) === undefined ? this.options.startingCredits : 0;
        this.append(userId, { key: 'grant:start', kind: 'grant', messageId: null, credits });
      }
      const result = work(this.read(userId));
      return { ...this.read(userId), ...result };
    };
    return new Promise((resolve) => resolve(within(this.db, run)));
  }

  private read(userId: string): Balance {
    return {
      credits: Number(this.statements.balance.get(userId)?.['balance']),
      reserved: Number(this.statements.reserved.get(userId, this.now())?.['reserved']),
    };
  }

  private isClosed(userId: string): boolean {
    const isOpen = this.statements.balance.get(userId) !== undefined;
    return !isOpen && this.statements.closed.get(userId) !== undefined;
  }

  private captured(userId: string, messageId: string) {
    return this.statements.byKey.get(userId, captureKey(messageId));
  }

  private append(
    userId: string,
    row: { key: string; kind: LedgerRow['kind']; messageId: string | null; credits: number; note?: string | undefined },
  ): void {
    const balance = Number(this.statements.balance.get(userId)?.['balance'] ?? 0) + row.credits;
    const createdAt = new Date(this.now()).toISOString();
    this.statements.append.run(
      ...[randomUUID(), userId, row.key, row.kind, row.messageId, row.credits, balance, createdAt, row.note ?? null],
    );
  }

  private expiry(): number {
    return this.now() + this.options.reservationTtlMs;
  }
}

function toRow({ note, ...row }: Record<string, unknown>): LedgerRow {
  return { ...row, ...(note === null ? {} : { note }) } as LedgerRow;
}

const captureKey = (messageId: string) => `capture:${messageId}`;

const SQL = {
  balance: 'SELECT balance FROM ledger WHERE user_id = ? ORDER BY seq DESC LIMIT 1',
  byKey: 'SELECT credits FROM ledger WHERE user_id = ? AND key = ?',
  append: `INSERT INTO ledger (id, user_id, key, kind, message_id, credits, balance, created_at, note)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  rows: `SELECT id, created_at, kind, message_id, credits, note FROM ledger
         WHERE user_id = ? ORDER BY seq DESC LIMIT ? OFFSET ?`,
  total: 'SELECT COUNT(*) AS total FROM ledger WHERE user_id = ?',
  reserved: 'SELECT COALESCE(SUM(credits), 0) AS reserved FROM reservation WHERE user_id = ? AND expires_at > ?',
  reservation: 'SELECT credits FROM reservation WHERE user_id = ? AND message_id = ?',
  hold: 'INSERT INTO reservation (user_id, message_id, credits, expires_at) VALUES (?, ?, ?, ?)',
  end: `INSERT INTO reservation (user_id, message_id, credits, expires_at) VALUES (?, ?, 0, ?)
        ON CONFLICT (user_id, message_id) DO UPDATE SET credits = 0, expires_at = excluded.expires_at`,
  closed: 'SELECT closed_at FROM closed_account WHERE user_id = ?',
  close: `INSERT INTO closed_account (user_id, closed_at) VALUES (?, ?)
          ON CONFLICT (user_id) DO UPDATE SET closed_at = excluded.closed_at WHERE closed_at < excluded.closed_at`,
  deleteRows: 'DELETE FROM ledger WHERE user_id = ?',
  deleteReservations: 'DELETE FROM reservation WHERE user_id = ?',
  expire: 'DELETE FROM reservation WHERE expires_at <= ?',
} as const;
