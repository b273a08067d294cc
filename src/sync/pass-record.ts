import type { Synced, SyncState } from './sync-state.js';

export interface Report {
  /**
   * A line for each document, as git's short status: `A`, `M`, `D`, `R`, `C` (conflict), `!` (not stored); `+`, `*` and `-`
   * for files that were added, changed or removed here.
   */
  line(mark: string, path: string, note?: string): void;
  progress(done: number, total: number): void;
}

export interface Outcome {
  uploaded: number;
  deleted: number;
  conflicts: number;
  /** Documents that got another path. */
  moved: number;
  /** Documents that were written into the folder. */
  downloaded: number;
  /** Files that were removed from the folder. */
  removed: number;
  /** Files that could not be read or written, or that the server did not store. */
  failed: number;
  /** Whether something changed meanwhile, so that another pass is needed. */
  again: boolean;
}

export const NOTHING: Omit<Synced, 'path'> = { digest: null, version: null, pending: null, refused: null, own: false };

/** The state, the result and the progress of one pass. */
export class PassRecord {
  readonly outcome: Outcome = {
    ...{ uploaded: 0, deleted: 0, conflicts: 0, moved: 0, downloaded: 0, removed: 0, failed: 0 },
    again: false,
  };
  readonly synced: Map<string, Synced>;
  total = 0;
  private done = 0;

  constructor(
    private readonly state: SyncState,
    readonly report: Report,
  ) {
    this.synced = state.all();
  }

  known(path: string): Synced {
    return this.synced.get(path) ?? { ...NOTHING, path };
  }

  /** All or none. @param gone the paths of documents to be forgotten */
  save(documents: readonly Synced[], gone: readonly string[] = []): void {
    this.state.save(documents, gone);
    for (const path of gone) this.synced.delete(path);
    for (const document of documents) this.synced.set(document.path, document);
  }

  forget(path: string): void {
    this.save([], [path]);
  }

  fail(path: string, reason: string): void {
    this.outcome.failed++;
    this.report.line('!', path, reason);
  }

  step(): void {
    this.report.progress(++this.done, this.total);
  }
}
