import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { InjectConfig } from '../../../config/config.module.js';
import type { Config } from '../../../config/config.schema.js';
import { badRequest, Problem } from '../../../http/problem.js';
import { type About, type Deletion, Deletions, isAbout } from '../../call/deletions.js';
import type { Claim } from '../../call/claim.js';
import { preparedBy } from '../../../storage/statements.js';
import { scrubSoon } from '../../../storage/scrub.js';
import { bufferedFiles } from '../multipart.js';
import { openDatabase } from '../../../storage/sqlite.js';

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
const KEPT_MS = 24 * 60 * 60 * 1000;

/** The value that replaces an answer whose subject was deleted. */
const GONE = 'gone';

/** Keeps the answer to each `Idempotency-Key` for a day. */
@Injectable()
export class IdempotencyStore implements OnApplicationShutdown {
  private readonly db: DatabaseSync;
  private readonly prepared: ReturnType<typeof preparedBy>;
  /** The first requests of keys whose answers are not complete. */
  private readonly running = new Map<string, Promise<unknown>>();

  constructor(@InjectConfig() config: Config, deletions: Deletions) {
    deletions.onDelete((deletion) => this.forget(deletion));
    this.db = openDatabase(join(config.data_dir, 'backend', 'idempotency.db'), IDEMPOTENCY_MIGRATIONS);
    this.prepared = preparedBy(this.db);
  }

  onApplicationShutdown(): void {
    if (this.db.isOpen) this.db.close();
  }

  /**
   * The claim of a request that carries a key; undefined without one.
   * @throws Problem 400 for a malformed key, 422 for one that was used with another request before
   */
  async claim(request: FastifyRequest, userId: string): Promise<Claim | undefined> {
    const key = request.headers['idempotency-key'];
    if (key === undefined) return undefined;
    if (typeof key !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(key)) {
      throw badRequest('invalid_idempotency_key', 'idempotency-key: 1 to 255 visible ASCII characters are needed');
    }
    const nowMs = Date.now();
    this.prepared('DELETE FROM answers WHERE created_ms < ?').run(nowMs - KEPT_MS);
    const fingerprint = await fingerprintOf(request);
    this.prepared('INSERT OR IGNORE INTO answers (user_id, key, fingerprint, created_ms) VALUES (?, ?, ?, ?)').run(
      userId,
      key,
      fingerprint,
      nowMs,
    );
    const row = this.prepared('SELECT fingerprint, answer FROM answers WHERE user_id = ? AND key = ?').get(userId, key);
    if (row?.['fingerprint'] !== fingerprint) {
      throw new Problem({
        status: 422,
        code: 'idempotency_key_reused',
        detail: 'idempotency-key: this key came with another request before; take a new key for a new request',
      });
    }
    if (row['answer'] === GONE) {
      const detail =
        'idempotency-key: the first answer was about something that was deleted since, and is gone with it';
      throw new Problem({ status: 410, code: 'deleted', detail });
    }
    const answer = row['answer'] === null ? null : (JSON.parse(String(row['answer'])) as Claim['answer']);
    return { userId, key, answer };
  }

  /**
   * Runs `work` for the first request of a key. Repetitions that arrive before its claim is completed or released get
   * the same result. An error of `work` releases the claim.
   */
  once<T>(claim: Claim, work: () => Promise<T>): Promise<T> {
    const running = this.running.get(nameOf(claim)) as Promise<T> | undefined;
    if (running !== undefined) return running;
    const first = work();
    this.running.set(nameOf(claim), first);
    first.catch(() => this.release(claim));
    return first;
  }

  complete(claim: Claim, answer: NonNullable<Claim['answer']>): void {
    const { userId, key, about } = claim;
    this.running.delete(nameOf(claim));
    this.prepared(
      'UPDATE answers SET answer = ?, project_id = ?, conversation_id = ?, message_id = ? WHERE user_id = ? AND key = ?',
    ).run(
      ...[JSON.stringify(answer), about?.projectId ?? null, about?.conversationId ?? null, about?.messageId ?? null],
      ...[userId, key],
    );
  }

  private forget(deletion: Deletion): void {
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

  /** The request was refused or failed: its key may be used again. */
  release(claim: Claim): void {
    const { userId, key } = claim;
    this.running.delete(nameOf(claim));
    this.prepared('DELETE FROM answers WHERE user_id = ? AND key = ? AND answer IS NULL').run(userId, key);
  }
}

const nameOf = ({ userId, key }: Claim) => `${userId}/${key}`;

/**
 * A digest of the target and content of a request. The boundary of a multipart body is excluded, because it differs
 * each time.
 */
async function fingerprintOf(request: FastifyRequest): Promise<string> {
  const hash = createHash('sha256').update(`${request.method} ${request.url}\n`);
  if (request.isMultipart()) {
    for (const { filename, mimetype, bytes } of await bufferedFiles(request)) {
      hash.update(JSON.stringify([filename, mimetype, bytes.length])).update(bytes);
    }
  } else hash.update(Buffer.isBuffer(request.body) ? request.body : JSON.stringify(request.body ?? null));
  return hash.digest('hex');
}
