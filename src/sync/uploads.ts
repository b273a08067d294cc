import { zipSync } from 'fflate';
import pLimit from 'p-limit';
import { type CaudexApi, Refusal } from './caudex-api.js';
import { digestOf } from './content.js';
import type { Folder } from './folder.js';
import { NOTHING, type PassRecord } from './pass-record.js';
import type { Action } from './plan.js';
import { CHANGED_MEANWHILE, CONTENT_REFUSED, FATAL, PARALLEL } from './refusals.js';

export type Upload = Extract<Action, { kind: 'upload' }>;
/** A file as it was read, with the action that it was read for. */
interface Read {
  action: Upload;
  bytes: Buffer;
  digest: string;
}

/** Requests with new files at the same time: while one is sent or waits for the index, the server stores the other. */
const ZIPS = 2;
/** New files that go in one request. */
const ZIP = { files: 200, bytes: 8 * 1024 * 1024 };

/**
 * Uploads files: new ones many at once, changed ones over the version last seen. The state records each upload before it
 * is sent, and its version afterwards, so that a process that was killed in between recognises its own upload.
 */
export class Uploads {
  constructor(
    private readonly folder: Folder,
    private readonly api: CaudexApi,
    private readonly project: string,
    private readonly record: PassRecord,
  ) {}

  async run(uploads: readonly Upload[]): Promise<void> {
    const fresh = uploads.filter(({ version }) => version === null);
    const changed = uploads.filter(({ version }) => version !== null);
    const left = fresh[Symbol.iterator]();
    const worker = async () => {
      for (let some = this.nextTogether(left); some.length > 0; some = this.nextTogether(left)) {
        await this.uploadTogether(some);
      }
    };
    await Promise.all(Array.from({ length: ZIPS }, worker));
    await pLimit(PARALLEL).map(changed, async (action) => {
      const read = this.read(action);
      if (read !== undefined) await this.uploadOne(read);
    });
  }

  private read(action: Upload): Read | undefined {
    try {
      const bytes = this.folder.read(action.path);
      if (bytes !== undefined) return { action, bytes, digest: digestOf(bytes) };
      this.record.outcome.again = true;
    } catch (error) {
      this.record.fail(action.path, (error as Error).message);
    }
    this.record.step();
    return undefined;
  }

  /** Reads files for one request; none at the end. */
  private nextTogether(left: Iterator<Upload>): Read[] {
    const together: Read[] = [];
    for (let bytes = 0; together.length < ZIP.files && bytes <= ZIP.bytes;) {
      const next = left.next();
      if (next.done === true) break;
      const read = this.read(next.value);
      if (read !== undefined) together.push(read);
      bytes += read?.bytes.length ?? 0;
    }
    return together;
  }

  private async uploadTogether(together: readonly Read[]): Promise<void> {
    // The server takes a request up to a size, which one large file may have by itself.
    const small = together.filter(({ bytes }) => bytes.length <= ZIP.bytes);
    const stored = small.length < 2 ? new Map<string, string>() : await this.uploadZip(small);
    const known = together.filter(({ action }) => stored.has(action.path));
    this.keep(known.map((read) => ({ read, version: stored.get(read.action.path) as string })));
    // A file that the archive request did not store is sent alone, which gives it an answer of its own or waits for the server.
    for (const read of together) if (!stored.has(read.action.path)) await this.uploadOne(read);
  }

  private async uploadZip(reads: readonly Read[]): Promise<Map<string, string>> {
    this.intend(reads);
    // The request is compressed as a whole, which is faster and smaller than each file alone.
    const archive = zipSync(Object.fromEntries(reads.map(({ action, bytes }) => [action.path, bytes])), { level: 0 });
    return this.api.putAll(this.project, archive).catch((error: unknown) => {
      if (error instanceof Refusal && !FATAL.has(error.status)) return new Map<string, string>();
      throw error;
    });
  }

  private async uploadOne(read: Read): Promise<void> {
    const { path, version } = read.action;
    this.intend([read]);
    try {
      this.keep([{ read, version: await this.api.put(this.project, path, read.bytes, version) }]);
    } catch (error) {
      if (!(error instanceof Refusal) || FATAL.has(error.status)) throw error;
      this.record.step();
      if (error.status === CHANGED_MEANWHILE) {
        this.record.outcome.again = true;
        return;
      }
      const refused = CONTENT_REFUSED.has(error.status) ? read.digest : null;
      this.record.save([{ ...this.record.known(path), pending: null, refused }]);
      this.record.fail(path, error.message);
    }
  }

  private intend(reads: readonly Read[]): void {
    this.record.save(reads.map(({ action, digest }) => ({ ...this.record.known(action.path), pending: digest })));
  }

  private keep(stored: readonly { read: Read; version: string }[]): void {
    this.record.save(
      stored.map(({ read: { action, digest }, version }) => ({
        ...{ ...NOTHING, path: action.path, digest, version },
        own: true,
      })),
    );
    for (const { read } of stored) {
      this.record.outcome.uploaded++;
      this.record.step();
      this.record.report.line(read.action.version === null ? 'A' : 'M', read.action.path);
    }
  }
}
