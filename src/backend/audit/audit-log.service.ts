import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { type AuditRecord, AuditStore } from './audit-store.js';

/** The longest time that an answer waits for its record. */
const WAIT_MS = 1000;
const PURGE_EVERY_MS = 60 * 60 * 1000;

/**
 * Writes the audit log. A store that fails or hangs fails no request: the program's log then has the record, at level error.
 */
@Injectable()
export class AuditLog implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private readonly writing = new Set<Promise<void>>();

  constructor(
    @InjectConfig() private readonly config: Config,
    readonly store: AuditStore,
    private readonly log: PinoLogger,
  ) {}

  onApplicationBootstrap(): void {
    void this.purge();
    this.timer = setInterval(() => void this.purge(), PURGE_EVERY_MS);
    this.timer.unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all(this.writing);
  }

  /** Returns when the record is stored, or after {@link WAIT_MS}; the writing then goes on. */
  async write(given: Omit<AuditRecord, 'id' | 'time'>): Promise<void> {
    const record = { id: randomUUID(), time: new Date().toISOString(), ...given };
    const writing = this.store.append(record).catch((error: unknown) => {
      this.log.error({ err: error, audit: record }, 'Audit log: a record could not be stored; this line has it');
    });
    this.writing.add(writing);
    void writing.finally(() => this.writing.delete(writing));
    const waited = new AbortController();
    await Promise.race([writing, sleep(WAIT_MS, undefined, { signal: waited.signal }).catch(() => undefined)]);
    waited.abort();
  }

  private async purge(): Promise<void> {
    const before = new Date(Date.now() - this.config.audit.retention_ms).toISOString();
    await this.store.purge(before).catch((error: unknown) => {
      this.log.warn({ err: error }, 'Audit log: old records could not be removed; this is tried again');
    });
  }
}
