import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { InjectConfig } from '../../../config/config.module.js';
import type { Config } from '../../../config/config.schema.js';
import { badRequest, Problem } from '../../../http/problem.js';
import type { Claim } from '../../call/claim.js';
import { preparedBy } from '../../../storage/statements.js';
import { openDatabase } from '../../../storage/sqlite.js';

const MIGRATIONS = [
  `CREATE TABLE answers (
     user_id TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, answer TEXT, created_ms INTEGER NOT NULL,
     PRIMARY KEY (user_id, key)
   ) STRICT;
   CREATE INDEX answers_age ON answers (created_ms)`,
];
const KEPT_MS = 24 * 60 * 60 * 1000;

/** Keeps for a day the answer to each `Idempotency-Key`. */
@Injectable()
export class IdempotencyStore implements OnApplicationShutdown {
  private readonly db: DatabaseSync;
  private readonly prepared: ReturnType<typeof preparedBy>;
  /** The first requests of keys, while they run. */
  readonly running = new Map<string, Promise<unknown>>();

  constructor(@InjectConfig() config: Config) {
    this.db = openDatabase(join(config.data_dir, 'backend', 'idempotency.db'), MIGRATIONS);
    this.prepared = preparedBy(this.db);
  }

  onApplicationShutdown(): void {
    if (this.db.isOpen) this.db.close();
  }

  /**
   * The claim of a request that carries a key; undefined without one.
   * @throws Problem 400 for a malformed key, 422 for one that came with another request before
   */
  claim(request: FastifyRequest, userId: string): Claim | undefined {
    const key = request.headers['idempotency-key'];
    if (key === undefined) return undefined;
    if (typeof key !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(key)) {
      throw badRequest('invalid_idempotency_key', 'idempotency-key: 1 to 255 visible ASCII characters are needed');
    }
    const nowMs = Date.now();
    this.prepared('DELETE FROM answers WHERE created_ms < ?').run(nowMs - KEPT_MS);
    const fingerprint = fingerprintOf(request);
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
    const answer = row['answer'] === null ? null : (JSON.parse(String(row['answer'])) as Claim['answer']);
    return { userId, key, answer };
  }

  complete({ userId, key }: Claim, answer: NonNullable<Claim['answer']>): void {
    this.prepared('UPDATE answers SET answer = ? WHERE user_id = ? AND key = ?').run(
      JSON.stringify(answer),
      userId,
      key,
    );
  }

  /** The request was refused or failed: the key may be used for it again. */
  release({ userId, key }: Claim): void {
    this.prepared('DELETE FROM answers WHERE user_id = ? AND key = ? AND answer IS NULL').run(userId, key);
  }
}

/** A multipart body is read by its handler: of it, only the length is known here. */
function fingerprintOf(request: FastifyRequest): string {
  const hash = createHash('sha256').update(`${request.method} ${request.url}\n`);
  if (request.isMultipart()) hash.update(String(request.headers['content-length']));
  else hash.update(Buffer.isBuffer(request.body) ? request.body : JSON.stringify(request.body ?? null));
  return hash.digest('hex');
}
