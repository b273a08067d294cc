import type { Replicas } from '../../../replicas/replicas.js';
import type { Postgres } from '../../../storage/postgres/postgres.js';
import type { About, Deletion } from '../../call/deletions.js';
import { AnswerStore, type ClaimKey, GONE, KEPT_MS, type KeptAnswer } from './answer.store.js';

/** How often old answers are deleted. */
const PURGE_MS = 60_000;
const IDEMPOTENT = { isIdempotent: true };

/** The answers in PostgreSQL, shared by several backends: one of them works on the answer to a key. */
export class PostgresAnswerStore extends AnswerStore {
  private purgedMs = 0;

  constructor(
    private readonly db: Postgres,
    private readonly replicas: Replicas,
  ) {
    super();
    replicas.onDead(async (session, dead) => {
      await session.query('UPDATE answers SET owner = NULL WHERE owner = $1', [dead]);
    });
  }

  async claim({ userId, key, fingerprint }: ClaimKey, nowMs: number): Promise<KeptAnswer> {
    await this.purge(nowMs);
    const values = [userId, key, fingerprint, nowMs];
    for (;;) {
      const { rows: made } = await this.db.write<KeptAnswer & Row>(CLAIM, values, IDEMPOTENT);
      const kept = made[0] ?? (await this.db.read<KeptAnswer & Row>(FIND, [userId, key])).rows[0];
      // Otherwise it was released between the two statements.
      if (kept !== undefined) return { fingerprint: kept.fingerprint, answer: kept.answer };
    }
  }

  async take({ userId, key, fingerprint }: ClaimKey, nowMs: number): Promise<boolean> {
    const values = [userId, key, fingerprint, nowMs, this.replicas.id];
    return (await this.db.write(TAKE, values, IDEMPOTENT)).rowCount === 1;
  }

  async complete({ userId, key }: ClaimKey, answer: string, about: About | undefined): Promise<void> {
    const ids = [about?.projectId ?? null, about?.conversationId ?? null, about?.messageId ?? null];
    await this.db.write(COMPLETE, [userId, key, answer, ...ids], IDEMPOTENT);
  }

  async release({ userId, key }: ClaimKey): Promise<void> {
    await this.db.write(RELEASE, [userId, key, this.replicas.id], IDEMPOTENT);
  }

  async forget(deletion: Deletion): Promise<void> {
    if (deletion.kind === 'account') {
      await this.db.write('DELETE FROM answers WHERE user_id = $1', [deletion.userId], IDEMPOTENT);
      return;
    }
    const { where, values } = isAboutSql(deletion);
    await this.db.write(
      `UPDATE answers SET answer = '${GONE}' WHERE user_id = $1 AND ${where}`,
      [deletion.userId, ...values],
      IDEMPOTENT,
    );
  }

  /** The connections belong to the module that opened them. */
  async close(): Promise<void> {
    return undefined;
  }

  private async purge(nowMs: number): Promise<void> {
    if (nowMs < this.purgedMs + PURGE_MS) return;
    this.purgedMs = nowMs;
    await this.db.write('DELETE FROM answers WHERE created_ms < $1', [nowMs - KEPT_MS], IDEMPOTENT);
  }
}

type Row = Record<string, unknown>;

/** `isAbout` as a condition. */
function isAboutSql(deletion: Exclude<Deletion, { kind: 'account' }>): { where: string; values: string[] } {
  if (deletion.kind === 'turn') {
    return { where: 'conversation_id = $2 AND message_id = $3', values: [deletion.conversationId, deletion.messageId] };
  }
  if (deletion.kind === 'conversation') return { where: 'conversation_id = $2', values: [deletion.conversationId] };
  const where = deletion.kind === 'project' ? 'project_id = $2' : 'project_id = $2 AND conversation_id IS NOT NULL';
  return { where, values: [deletion.projectId] };
}

const CLAIM = `
  INSERT INTO answers (user_id, key, fingerprint, created_ms) VALUES ($1, $2, $3, $4)
  ON CONFLICT (user_id, key) DO NOTHING RETURNING fingerprint, answer`;
const FIND = 'SELECT fingerprint, answer FROM answers WHERE user_id = $1 AND key = $2';
/** Also where this replica has it already: an answer to the same statement may have been lost. */
const TAKE = `
  INSERT INTO answers (user_id, key, fingerprint, created_ms, owner) VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (user_id, key) DO UPDATE SET owner = $5
    WHERE answers.answer IS NULL AND (answers.owner IS NULL OR answers.owner = $5)`;
const COMPLETE = `
  UPDATE answers SET answer = $3, project_id = $4, conversation_id = $5, message_id = $6, owner = NULL
  WHERE user_id = $1 AND key = $2`;
const RELEASE = `
  DELETE FROM answers WHERE user_id = $1 AND key = $2 AND answer IS NULL AND (owner IS NULL OR owner = $3)`;
