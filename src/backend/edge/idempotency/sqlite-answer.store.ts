import type { DatabaseSync } from 'node:sqlite';
import { scrubSoon } from '../../../storage/scrub.js';
import { openDatabase } from '../../../storage/sqlite.js';
import { preparedBy } from '../../../storage/statements.js';
import { type About, type Deletion, isAbout } from '../../call/deletions.js';
import { AnswerStore, type ClaimKey, GONE, KEPT_MS, type KeptAnswer } from './answer.store.js';

export const IDEMPOTENCY_MIGRATIONS = [
  `CREATE TABLE answers (
     user_id TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, answer TEXT, created_ms INTEGER NOT NULL,
     PRIMARY KEY (user_id, key)
   ) STRICT;
   CREATE INDEX answers_age ON answers (created_ms)`,
  `ALTER TABLE answers ADD COLUMN project_id TEXT;
   ALTER TABLE answers ADD COLUMN conversation_id TEXT`,
  // Chats were stored without their sources. A repetition gets the same message id and is still charged only once.
  `ALTER TABLE answers ADD COLUMN message_id TEXT;
   DELETE FROM answers WHERE conversation_id IS NOT NULL`,
];

/** The embedded store. Only this process uses it, so a claim without an answer never belongs to another process. */
export class SqliteAnswerStore extends AnswerStore {
  private readonly db: DatabaseSync;
  private readonly prepared: ReturnType<typeof preparedBy>;

  constructor(file: string) {
    super();
    this.db = openDatabase(file, IDEMPOTENCY_MIGRATIONS);
    this.prepared = preparedBy(this.db);
  }

  async claim({ userId, key, fingerprint }: ClaimKey, nowMs: number): Promise<KeptAnswer> {
    this.prepared('DELETE FROM answers WHERE created_ms < ?').run(nowMs - KEPT_MS);
    this.prepared('INSERT OR IGNORE INTO answers (user_id, key, fingerprint, created_ms) VALUES (?, ?, ?, ?)').run(
      ...[userId, key, fingerprint, nowMs],
    );
    const kept = this.prepared('SELECT fingerprint, answer FROM answers WHERE user_id = ? AND key = ?');
    return kept.get(userId, key) as unknown as KeptAnswer;
  }

  async take(claim: ClaimKey, nowMs: number): Promise<boolean> {
    const kept = this.prepared('SELECT answer FROM answers WHERE user_id = ? AND key = ?').get(claim.userId, claim.key);
    return (kept ?? (await this.claim(claim, nowMs))).answer === null;
  }

  async complete({ userId, key }: ClaimKey, answer: string, about: About | undefined): Promise<void> {
    this.prepared(
      'UPDATE answers SET answer = ?, project_id = ?, conversation_id = ?, message_id = ? WHERE user_id = ? AND key = ?',
    ).run(
      ...[answer, about?.projectId ?? null, about?.conversationId ?? null, about?.messageId ?? null],
      ...[userId, key],
    );
  }

  async release({ userId, key }: ClaimKey): Promise<void> {
    this.prepared('DELETE FROM answers WHERE user_id = ? AND key = ? AND answer IS NULL').run(userId, key);
  }

  async forget(deletion: Deletion): Promise<void> {
    if (deletion.kind === 'account') this.prepared('DELETE FROM answers WHERE user_id = ?').run(deletion.userId);
    const rows = this.prepared(
      `SELECT key, project_id, conversation_id, message_id FROM answers
       WHERE user_id = ? AND (project_id IS NOT NULL OR conversation_id IS NOT NULL)`,
    ).all(deletion.userId);
    for (const { key, project_id, conversation_id, message_id } of rows) {
      const about: About = { projectId: project_id === null ? null : String(project_id) };
      if (conversation_id !== null) about.conversationId = String(conversation_id);
      if (message_id !== null) about.messageId = String(message_id);
      if (!isAbout(about, deletion)) continue;
      this.prepared('UPDATE answers SET answer = ? WHERE user_id = ? AND key = ?').run(
        GONE,
        deletion.userId,
        String(key),
      );
    }
    scrubSoon(this.db);
  }

  async close(): Promise<void> {
    if (this.db.isOpen) this.db.close();
  }
}
