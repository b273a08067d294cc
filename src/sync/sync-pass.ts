import { zipSync } from 'fflate';
import pLimit from 'p-limit';
import { type CaudexApi, Refusal } from './caudex-api.js';
import { digestOf } from './content.js';
import type { Folder, Scan } from './folder.js';
import { type Action, planOf } from './plan.js';
import type { Synced, SyncState } from './sync-state.js';

type Upload = Extract<Action, { kind: 'upload' }>;
type Compare = Extract<Action, { kind: 'compare' }>;
/** A file as it was read, with the action that it was read for. */
interface Read {
  action: Upload;
  bytes: Buffer;
  digest: string;
}

export interface Report {
  /** A line for each document, as git's short status: `A`, `M`, `D`, `R`, `C` (conflict), `!` (not stored). */
  line(mark: string, path: string, note?: string): void;
  progress(done: number, total: number): void;
}

export interface Outcome {
  uploaded: number;
  deleted: number;
  conflicts: number;
  /** Files that could not be read, or that the server did not store. */
  failed: number;
  /** Whether something changed meanwhile, so that another pass is needed. */
  again: boolean;
}

/** New files that go in one request. */
const ZIP = { files: 200, bytes: 8 * 1024 * 1024 };
const PARALLEL = 4;
/** Answers about the content itself: the same content is not sent again. */
const CONTENT_REFUSED = new Set([400, 413, 415, 422]);
/** Answers that concern everything. */
const FATAL = new Set([401, 402, 403, 410, 507]);
const CHANGED_MEANWHILE = 412;

const NOTHING: Omit<Synced, 'path'> = { digest: null, version: null, pending: null, refused: null, own: false };

/**
 * Compares the folder with the server once and updates the server. The state records each upload before it is sent, and
 * its version afterwards, so that a process that was killed in between recognises its own upload.
 */
export class SyncPass {
  private readonly outcome: Outcome = { uploaded: 0, deleted: 0, conflicts: 0, failed: 0, again: false };
  private synced = new Map<string, Synced>();
  private done = 0;
  private total = 0;

  constructor(
    private readonly folder: Folder,
    private readonly state: SyncState,
    private readonly api: CaudexApi,
    private readonly project: string,
    private readonly report: Report,
  ) {}

  async run(): Promise<Outcome> {
    const { actions, scan } = await this.plan();
    const uploads = actions.filter((action) => action.kind === 'upload');
    this.total = actions.length;
    for (const action of actions) {
      if (action.kind === 'compare' && mayDecide(action, scan)) await this.compare(action, scan);
    }
    const fresh = uploads.filter(({ version }) => version === null);
    const changed = uploads.filter(({ version }) => version !== null);
    for (let at = 0; at < fresh.length;) at += await this.uploadFresh(fresh, at);
    await pLimit(PARALLEL).map(changed, async (action) => {
      const read = await this.read(action);
      if (read !== undefined) await this.uploadOne(read);
    });
    for (const action of actions) await this.finish(action, scan);
    return this.outcome;
  }

  /** The actions that {@link run} would take. */
  async plan(): Promise<{ actions: Action[]; scan: Scan }> {
    const scan = await this.folder.scan();
    this.synced = this.state.all();
    const remote = await this.api.versions(this.project);
    for (const { path, reason } of scan.unread) this.fail(path, reason);
    for (const [path, digest] of scan.files) {
      if (this.known(path).refused === digest) this.fail(path, 'the server did not take this content before');
    }
    return { actions: planOf({ ...scan, synced: this.synced, remote }), scan };
  }

  private async finish(action: Action, scan: Scan): Promise<void> {
    const { path } = action;
    if (action.kind === 'leave') this.report.line(' ', path, 'was changed on the server and is left as it is there');
    // While a file or folder cannot be read, a missing file may lie in it and must not be deleted on the server.
    if (action.kind === 'forget' && scan.unread.length === 0) this.state.forget(path);
    if (action.kind === 'delete' && scan.unread.length === 0) await this.delete(path);
    if (action.kind !== 'upload') this.step();
  }

  private async delete(path: string): Promise<void> {
    await this.api.delete(this.project, path);
    this.state.forget(path);
    this.outcome.deleted++;
    this.report.line('D', path);
  }

  private async read(action: Upload): Promise<Read | undefined> {
    try {
      const bytes = await this.folder.read(action.path);
      if (bytes !== undefined) return { action, bytes, digest: digestOf(bytes) };
      this.outcome.again = true;
    } catch (error) {
      this.fail(action.path, (error as Error).message);
    }
    return undefined;
  }

  /** @returns how many of the files were dealt with */
  private async uploadFresh(actions: readonly Upload[], at: number): Promise<number> {
    const together: Read[] = [];
    let bytes = 0;
    let taken = 0;
    for (const action of actions.slice(at, at + ZIP.files)) {
      const read = await this.read(action);
      taken++;
      if (read !== undefined) together.push(read);
      bytes += read?.bytes.length ?? 0;
      if (bytes > ZIP.bytes) break;
    }
    const stored = together.length < 2 ? new Map<string, string>() : await this.uploadZip(together);
    const known = together.filter(({ action }) => stored.has(action.path));
    this.keep(known.map((read) => ({ read, version: stored.get(read.action.path) as string })));
    // A file that the archive request did not store is sent alone, which gives it an answer of its own or waits for the server.
    for (const read of together) if (!stored.has(read.action.path)) await this.uploadOne(read);
    return taken;
  }

  private async uploadZip(reads: readonly Read[]): Promise<Map<string, string>> {
    this.intend(reads);
    const archive = zipSync(Object.fromEntries(reads.map(({ action, bytes }) => [action.path, bytes])), { level: 1 });
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
      if (error.status === CHANGED_MEANWHILE) {
        this.outcome.again = true;
        return;
      }
      const refused = CONTENT_REFUSED.has(error.status) ? read.digest : null;
      this.save([{ ...this.known(path), pending: null, refused }]);
      this.fail(path, error.message);
    }
  }

  private intend(reads: readonly Read[]): void {
    this.save(reads.map(({ action, digest }) => ({ ...this.known(action.path), pending: digest })));
  }

  private keep(stored: readonly { read: Read; version: string }[]): void {
    this.save(
      stored.map(({ read: { action, digest }, version }) => ({
        ...NOTHING,
        path: action.path,
        digest,
        version,
        own: true,
      })),
    );
    for (const { read } of stored) {
      const { path, version, renamedFrom } = read.action;
      this.outcome.uploaded++;
      this.step();
      if (renamedFrom === undefined) this.report.line(version === null ? 'A' : 'M', path);
      else this.report.line('R', path, `from ${renamedFrom}`);
    }
  }

  private async compare({ path, version }: Compare, scan: Scan): Promise<void> {
    const there = await this.api.original(this.project, path);
    const [digest, here, known] = [digestOf(there), scan.files.get(path), this.known(path)];
    const own = known.own || digest === known.pending;
    if (here === undefined) {
      if (digest === known.pending) await this.delete(path);
      else this.state.forget(path);
    } else if (digest === here) {
      this.save([{ ...NOTHING, path, digest, version, own }]);
    } else if (digest === known.pending || digest === known.digest) {
      this.save([{ ...NOTHING, path, digest, version, own }]);
      this.outcome.again = true;
    } else {
      const aside = await this.folder.setAside(path, there, new Date());
      this.save([{ ...NOTHING, path, digest, version }]);
      this.outcome.conflicts++;
      this.outcome.again = true;
      this.report.line('C', path, `was changed on both sides; the file of this folder is now ${aside}`);
    }
  }

  private known(path: string): Synced {
    return this.synced.get(path) ?? { ...NOTHING, path };
  }

  private save(documents: readonly Synced[]): void {
    this.state.save(documents);
    for (const document of documents) this.synced.set(document.path, document);
  }

  private fail(path: string, reason: string): void {
    this.outcome.failed++;
    this.report.line('!', path, reason);
    this.step();
  }

  private step(): void {
    this.report.progress(++this.done, this.total);
  }
}

/** A missing file is decided on only when the whole folder could be read: it may lie in a part that could not. */
const mayDecide = ({ path }: Compare, { files, unread }: Scan) => files.has(path) || unread.length === 0;
