import { Logger } from '@nestjs/common';
import { analyseDocument } from '../../../../text/analysed-document.js';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import { DamagedFile, type DocumentFiles } from '../files/document-files.js';
import type { Changes } from './changes.js';
import type { DocumentFeed, FeedRow } from './document-feed.js';
import type { LocalIndex, Position } from './local-index.js';

const PAGE = 200;
const PATHS_PAGE = 5000;
/** Below the number of every change. */
const BEFORE_ALL = -1;

/** Brings the {@link LocalIndex} of a project to the state of the database. */
export class ProjectFollower {
  private readonly log = new Logger('Filesystem');

  constructor(
    private readonly feed: DocumentFeed,
    private readonly local: LocalIndex,
    private readonly files: DocumentFiles,
    private readonly changes: Changes,
  ) {}

  /** Where a text cannot be read now, the others are indexed all the same. @throws the first such error */
  async run(key: ProjectKey, signal: AbortSignal): Promise<void> {
    const newest = await this.feed.position(key);
    const at = this.local.position(key);
    if (newest === undefined) return this.local.drop(key);
    // A higher number than the database has: it lost changes.
    const isContinued = at !== undefined && at.incarnation === newest.incarnation && at.change <= newest.change;
    if (!isContinued) await this.removeOthers(key);
    await this.takeAll(key, isContinued ? at.change : BEFORE_ALL, newest, signal);
  }

  /** Takes over the changes after number `last`. */
  private async takeAll(key: ProjectKey, last: number, newest: Position, signal: AbortSignal): Promise<void> {
    const failures: unknown[] = [];
    for (let full = true; full;) {
      const rows = await this.feed.since(key, last, PAGE);
      await this.take(key, rows, signal, failures);
      if (signal.aborted) return;
      full = rows.length === PAGE;
      last = rows.at(-1)?.change ?? last;
      // All changes up to that of the newest row were seen; without further rows, all up to `newest`.
      const change = full ? last : Math.max(last, newest.change);
      if (failures.length === 0) this.local.moveTo(key, { change, incarnation: newest.incarnation });
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Removes what the database does not have, for a database that was restarted, restored or replaced. */
  private async removeOthers(key: ProjectKey): Promise<void> {
    for (let after = '', full = true; full;) {
      const paths = await this.feed.paths(key, after, PATHS_PAGE);
      full = paths.length === PATHS_PAGE;
      const last = full ? paths.at(-1) : undefined;
      const known = new Set(paths);
      for (const path of this.local.paths(key, after, last)) if (!known.has(path)) this.local.remove(key, path);
      after = last ?? after;
    }
  }

  /** Removals first, so that no text that cannot be read delays them. */
  private async take(
    key: ProjectKey,
    rows: readonly FeedRow[],
    signal: AbortSignal,
    failures: unknown[],
  ): Promise<void> {
    for (const { path, document } of rows) {
      if (document === undefined && this.local.fileOf(key, path) !== undefined) this.local.remove(key, path);
    }
    for (const row of rows) {
      if (signal.aborted) return;
      await this.index(key, row).catch((error: unknown) => failures.push(error));
    }
  }

  private async index(key: ProjectKey, { path, document }: FeedRow): Promise<void> {
    if (document === undefined) return;
    const { file, title, media_type: mediaType, pages, tags, storedMs } = document;
    // Then the change concerns the tags alone.
    if (this.local.fileOf(key, path) === file) return this.local.label(key, path, tags);
    let analysed = this.changes.take(file);
    try {
      analysed ??= await analyseDocument({ path, title, text: await this.read(key, document), mediaType, pages });
    } catch (error) {
      if (!(error instanceof DamagedFile)) throw error;
      // The document was replaced or deleted after its row was read: that change comes later.
      if (!(await this.feed.isCurrent(key, path, file))) return;
      this.log.error(`${error.message}: its document is found by no search`);
    }
    this.local.put(key, path, file, analysed, storedMs);
    this.local.label(key, path, tags);
  }

  private async read(key: ProjectKey, stored: { file: string; sha256: string }): Promise<string> {
    return (await this.files.read(key, stored)).toString();
  }
}
