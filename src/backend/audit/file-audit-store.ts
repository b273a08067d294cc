import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type AuditRecord, auditRecordSchema, AuditStore } from './audit-store.js';

const NAME = /^\d{4}-\d{2}-\d{2}\.jsonl$/;
const dayOf = (time: string) => time.slice(0, 10);

/** A file for each day (UTC), opened for appending only, with one JSON line for each record. */
export class FileAuditStore extends AuditStore {
  private queue: Promise<unknown> = Promise.resolve();

  constructor(private readonly dir: string) {
    super();
  }

  append(record: AuditRecord): Promise<void> {
    const written = this.queue.then(() => this.write(record));
    this.queue = written.catch(() => undefined);
    return written;
  }

  async list(since: string | undefined, limit: number): Promise<AuditRecord[]> {
    const days = await this.days();
    if (since === undefined) return this.newest(days, limit);
    const found: AuditRecord[] = [];
    for (const day of days.filter((name) => name.slice(0, 10) >= dayOf(since))) {
      for await (const record of this.read(day)) {
        if (record.time >= since) found.push(record);
        if (found.length === limit) return found;
      }
    }
    return found;
  }

  async purge(before: string): Promise<void> {
    for (const name of await this.days()) {
      if (name.slice(0, 10) < dayOf(before)) await rm(join(this.dir, name), { force: true });
    }
  }

  private async newest(days: readonly string[], limit: number): Promise<AuditRecord[]> {
    let found: AuditRecord[] = [];
    for (const day of days.toReversed()) {
      const ofDay: AuditRecord[] = [];
      for await (const record of this.read(day)) {
        ofDay.push(record);
        if (ofDay.length > limit) ofDay.shift();
      }
      found = [...ofDay, ...found].slice(-limit);
      if (found.length === limit) break;
    }
    return found;
  }

  private async write(record: AuditRecord): Promise<void> {
    await mkdir(this.dir, { recursive: true, mode: 0o700 });
    const file = await open(join(this.dir, `${dayOf(record.time)}.jsonl`), 'a+', 0o600);
    try {
      await file.appendFile(`${(await isTorn(file)) ? '\n' : ''}${JSON.stringify(record)}\n`);
      await file.datasync();
    } finally {
      await file.close();
    }
  }

  /** The lines that are whole. */
  private async *read(name: string): AsyncGenerator<AuditRecord> {
    const input = createReadStream(join(this.dir, name));
    try {
      for await (const line of createInterface({ input, crlfDelay: Infinity })) {
        const record = recordIn(line);
        if (record !== undefined) yield record;
      }
    } finally {
      // A reader that stops early does not close the file.
      input.destroy();
    }
  }

  private async days(): Promise<string[]> {
    const names = await readdir(this.dir).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      return [];
    });
    return names.filter((name) => NAME.test(name)).sort();
  }
}

/** Whether the last line is incomplete, since the disk was full or the process was killed. */
async function isTorn(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return false;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer.toString() !== '\n';
}

function recordIn(line: string): AuditRecord | undefined {
  try {
    return auditRecordSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
