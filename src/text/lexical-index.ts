import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { LRUCache } from 'lru-cache';
import type { PageStart } from '../contract/page.contract.js';
import type { Scope } from '../contract/scope.contract.js';
import { preparedBy } from '../storage/statements.js';
import { ANALYSIS_VERSION, type AnalysedDocument, type AnalysedPassage } from './analysed-document.js';
import { DroppedProjects } from './dropped-projects.js';
import type { Language } from './language.js';
import { within } from './scope.js';
import { type Indexed, LexicalImage } from './lexical-image.js';

/** The owner and the project of passages. Every read and write needs both. */
export interface ProjectKey {
  userId: string;
  projectId: string;
}

export interface StoredPassage {
  /** Never reused for another passage. */
  id: number;
  document: string;
  chunk: number;
  /** The document's title, and the headings below it. */
  title: string;
  text: string;
  start: number;
  end: number;
  page?: number;
  language: Language;
}

/** The result of a write. A passage with unchanged content keeps its id and is in neither list. */
export interface LexicalChange {
  added: { id: number; passage: AnalysedPassage }[];
  removed: number[];
}

/** A migration for `openDatabase`: the tables of the {@link LexicalIndex} in that database. */
export const LEXICAL_MIGRATION = `
  CREATE TABLE lexical_projects (
    key INTEGER PRIMARY KEY AUTOINCREMENT, user_id TEXT NOT NULL, project_id TEXT NOT NULL,
    revision INTEGER NOT NULL DEFAULT 0,
    passages INTEGER NOT NULL DEFAULT 0, UNIQUE (user_id, project_id)) STRICT;
  CREATE TABLE lexical_passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project INTEGER NOT NULL, document TEXT NOT NULL, chunk INTEGER NOT NULL,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, digest TEXT NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL,
    title_terms TEXT NOT NULL, terms TEXT NOT NULL, fingerprint_high INTEGER NOT NULL, fingerprint_low INTEGER NOT NULL) STRICT;
  CREATE INDEX lexical_passages_by_document ON lexical_passages (project, document);
  CREATE INDEX lexical_passages_in_order ON lexical_passages (project, id)`;

/** A further migration: columns for the results of language detection. Older rows have analysis 0. */
export const LEXICAL_LANGUAGES_MIGRATION = `
  ALTER TABLE lexical_passages ADD COLUMN extras TEXT NOT NULL DEFAULT '';
  ALTER TABLE lexical_passages ADD COLUMN language TEXT NOT NULL DEFAULT 'en';
  ALTER TABLE lexical_passages ADD COLUMN analysis INTEGER NOT NULL DEFAULT 0;
  CREATE TABLE lexical_documents (
    project INTEGER NOT NULL, document TEXT NOT NULL, media_type TEXT NOT NULL, tags TEXT NOT NULL,
    dated_ms INTEGER, stored_ms INTEGER NOT NULL, PRIMARY KEY (project, document)) STRICT, WITHOUT ROWID`;

/** A further migration: the pages of documents that have pages. */
export const LEXICAL_PAGES_MIGRATION = 'ALTER TABLE lexical_passages ADD COLUMN page INTEGER';

/** A further migration: the authors that documents name. */
export const LEXICAL_AUTHORS_MIGRATION = `ALTER TABLE lexical_documents ADD COLUMN authors TEXT NOT NULL DEFAULT '[]'`;

/** A further migration: the tags that people gave to documents, beside those in the documents. */
export const LEXICAL_LABELS_MIGRATION = `ALTER TABLE lexical_documents ADD COLUMN labels TEXT NOT NULL DEFAULT '[]'`;

/** All migrations, for a database that holds nothing else. */
export const LEXICAL_MIGRATIONS = [
  LEXICAL_MIGRATION,
  LEXICAL_LANGUAGES_MIGRATION,
  LEXICAL_PAGES_MIGRATION,
  LEXICAL_AUTHORS_MIGRATION,
  LEXICAL_LABELS_MIGRATION,
];

/** The analysis of passages whose document was renamed: `put` makes their terms anew. */
const RENAMED = 0;
/** The most rows that are read at once, and the fewest: the terms of one passage may be a few or a thousand. */
const LOAD_ROWS = { most: 500, fewest: 10 };
/** The longest time for which a slice of the reading blocks the event loop. */
const LOAD_MS = 10;
/** The most projects whose image is kept in memory. */
const MAX_IMAGES = 50;
/** After a larger change the image is read again, in slices: applying the change at once would block the event loop. */
const MAX_FOLLOWED_PASSAGES = 500;
/** An image with a larger share of removed passages is read again. */
const MAX_WASTE = 0.5;

/** Where a stored passage is in its document. */
interface Place {
  id: number;
  chunk: number;
  start: number;
  end: number;
  page: number | null;
}

interface Loaded {
  image: LexicalImage;
  /** The revision of the project that `image` is equal to; undefined while the image is being read. */
  revision: number | undefined;
  ready: Promise<void>;
}

/**
 * A full-text index of passages in SQLite tables, in the database of the caller, so that both change in one
 * transaction: `put`, `remove` and `dropProject` must be called inside one. A project's postings are read into memory
 * at its first search and are updated with every later change. Ranking 100,000 passages there takes about a thirtieth
 * of the time of FTS5's `bm25()`, which reads every matching row.
 */
export class LexicalIndex {
  private readonly loaded = new LRUCache<number, Loaded>({ max: MAX_IMAGES });

  private readonly sql: (text: string) => StatementSync;

  private readonly dropped: DroppedProjects;

  constructor(db: DatabaseSync) {
    this.sql = preparedBy(db);
    this.dropped = new DroppedProjects(db);
  }

  /**
   * Replaces the passages of one document by these. Its {@link label}s stay.
   * @param storedMs when the document was stored, in ms since 1970
   */
  put(key: ProjectKey, document: AnalysedDocument, storedMs = Date.now()): LexicalChange {
    const project = this.projectOf(key) ?? this.createProject(key);
    const stored = this.stored(project, document.path);
    const move = this.sql('UPDATE lexical_passages SET chunk = ?, start = ?, "end" = ?, page = ? WHERE id = ?');
    const added: LexicalChange['added'] = [];
    let refreshed = 0;
    for (const passage of document.passages) {
      const same = stored.get(passage.digest)?.pop();
      if (same === undefined) added.push({ id: this.insert(project, document.path, passage), passage });
      else {
        const { chunk, start, end, page = null } = passage;
        const isMoved = same.chunk !== chunk || same.start !== start || same.end !== end || same.page !== page;
        if (isMoved) move.run(chunk, start, end, page, same.id);
        if (this.refresh(project, same.id, passage) && ++refreshed > MAX_FOLLOWED_PASSAGES) this.loaded.delete(project);
      }
    }
    const removed = [...stored.values()].flat().map(({ id }) => id);
    if (added.length > MAX_FOLLOWED_PASSAGES) this.loaded.delete(project);
    this.delete(project, removed);
    this.sql(
      `INSERT INTO lexical_documents (project, document, media_type, tags, dated_ms, stored_ms, authors)
       VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (project, document) DO UPDATE SET media_type = excluded.media_type, tags = excluded.tags,
         dated_ms = excluded.dated_ms, stored_ms = excluded.stored_ms, authors = excluded.authors`,
    ).run(
      ...[project, document.path, document.mediaType, JSON.stringify(document.tags)],
      ...[document.dateMs ?? null, storedMs, JSON.stringify(document.authors)],
    );
    const loaded = this.changed(project, added.length - removed.length);
    // An image that is still being read will read the new rows itself.
    if (loaded?.revision !== undefined) for (const { id, passage } of added) loaded.image.add(id, passage);
    return { added, removed };
  }

  /** Sets the tags of a document beside those that it has in its text; nothing where the document is not here. */
  label(key: ProjectKey, path: string, labels: readonly string[]): void {
    this.sql('UPDATE lexical_documents SET labels = ? WHERE project = ? AND document = ?').run(
      ...[JSON.stringify(labels), this.projectOf(key) ?? -1, path],
    );
  }

  labels(key: ProjectKey, path: string): string[] {
    const select = this.sql('SELECT labels FROM lexical_documents WHERE project = ? AND document = ?');
    return JSON.parse(String(select.get(this.projectOf(key) ?? -1, path)?.['labels'] ?? '[]')) as string[];
  }

  /** The passages that `put` would add, in its order. */
  fresh(key: ProjectKey, document: AnalysedDocument): AnalysedPassage[] {
    const project = this.projectOf(key);
    if (project === undefined) return document.passages;
    const stored = this.stored(project, document.path);
    return document.passages.filter(({ digest }) => stored.get(digest)?.pop() === undefined);
  }

  remove(key: ProjectKey, path: string): LexicalChange {
    const project = this.projectOf(key);
    if (project === undefined) return { added: [], removed: [] };
    const removed = [...this.stored(project, path).values()].flat().map(({ id }) => id);
    this.delete(project, removed);
    this.sql('DELETE FROM lexical_documents WHERE project = ? AND document = ?').run(project, path);
    this.changed(project, -removed.length);
    return { added: [], removed };
  }

  /**
   * Gives a document another path. Its passages keep their ids; `put` must follow, which finds them by their content and
   * updates the terms that come from the path. Must be called in a transaction, as `put`.
   * @returns when the document was stored, in ms since 1970
   */
  rename(key: ProjectKey, from: string, to: string): number | undefined {
    const project = this.projectOf(key);
    if (project === undefined) return undefined;
    this.remove(key, to);
    this.sql('UPDATE lexical_passages SET document = ?, analysis = ? WHERE project = ? AND document = ?').run(
      ...[to, RENAMED, project, from],
    );
    const row = this.sql(
      'UPDATE lexical_documents SET document = ? WHERE project = ? AND document = ? RETURNING stored_ms',
    ).get(to, project, from);
    return row === undefined ? undefined : Number(row['stored_ms']);
  }

  /** The project is gone at once; its rows are deleted in slices soon after. */
  dropProject(key: ProjectKey): boolean {
    const project = this.projectOf(key);
    if (project === undefined) return false;
    this.loaded.delete(project);
    this.sql('DELETE FROM lexical_projects WHERE key = ?').run(project);
    this.dropped.clearSoon();
    return true;
  }

  /** Whether a document was put, also one without passages. */
  holds(key: ProjectKey, path: string): boolean {
    const select = this.sql('SELECT 1 FROM lexical_documents WHERE project = ? AND document = ?');
    return select.get(this.projectOf(key) ?? -1, path) !== undefined;
  }

  /** How many passages a project has. */
  count({ userId, projectId }: ProjectKey): number {
    const select = this.sql('SELECT passages FROM lexical_projects WHERE user_id = ? AND project_id = ?');
    return Number(select.get(userId, projectId)?.['passages'] ?? 0);
  }

  /** The passages of the documents within a scope. */
  inScope(key: ProjectKey, scope: Scope): Set<number> {
    const project = this.projectOf(key) ?? -1;
    const rows = this.sql(
      'SELECT document, media_type, tags, labels, authors, dated_ms, stored_ms FROM lexical_documents WHERE project = ?',
    ).all(project);
    const select = this.sql('SELECT id FROM lexical_passages WHERE project = ? AND document = ?');
    const documents = rows.map((row) => ({
      path: String(row['document']),
      mediaType: String(row['media_type']),
      tags: [...(JSON.parse(String(row['tags'])) as string[]), ...(JSON.parse(String(row['labels'])) as string[])],
      authors: JSON.parse(String(row['authors'])) as string[],
      timeMs: Number(row['dated_ms'] ?? row['stored_ms']),
    }));
    const allowed = documents.filter(within(scope));
    return new Set(allowed.flatMap(({ path }) => select.all(project, path).map((row) => Number(row['id']))));
  }

  /** The documents with a passage that an earlier analysis made. */
  outdated(): { key: ProjectKey; path: string }[] {
    const rows = this.sql(
      `SELECT DISTINCT user_id, project_id, document FROM lexical_passages
       JOIN lexical_projects ON lexical_projects.key = lexical_passages.project WHERE analysis < ?`,
    ).all(ANALYSIS_VERSION);
    return rows.map((row) => ({
      key: { userId: String(row['user_id']), projectId: String(row['project_id']) },
      path: String(row['document']),
    }));
  }

  /**
   * The text of a document and the positions of its pages, rebuilt from its passages: only white space is left out
   * between them. Undefined where it has no passages, or none that is outdated.
   */
  outdatedText(key: ProjectKey, path: string): { text: string; pages: PageStart[] } | undefined {
    const rows = this.sql(
      'SELECT start, text, page, analysis FROM lexical_passages WHERE project = ? AND document = ? ORDER BY start',
    ).all(this.projectOf(key) ?? -1, path);
    if (!rows.some((row) => Number(row['analysis']) < ANALYSIS_VERSION)) return undefined;
    let text = '';
    for (const row of rows) text = text.padEnd(Number(row['start']), '\n') + String(row['text']);
    const pages = new Map<number, number>();
    for (const { page, start } of rows)
      if (page !== null && !pages.has(Number(page))) pages.set(Number(page), Number(start));
    return { text, pages: [...pages].map(([page, start]) => ({ page, start })) };
  }

  /** The current postings of a project. Use the result before the next `await`. */
  async image(key: ProjectKey): Promise<LexicalImage> {
    for (;;) {
      const project = this.projectOf(key);
      if (project === undefined) return new LexicalImage();
      const loaded = this.loaded.get(project);
      // The revision differs if a transaction was rolled back after the image had been updated.
      if (
        loaded?.revision !== undefined &&
        loaded.revision === this.revisionOf(project) &&
        loaded.image.waste < MAX_WASTE
      ) {
        return loaded.image;
      }
      await (loaded !== undefined && loaded.revision === undefined ? loaded : this.load(project)).ready;
    }
  }

  /** Passages by their ids, in that order. Ids that were removed, or belong to another project, are left out. */
  passages(key: ProjectKey, ids: readonly number[]): StoredPassage[] {
    const project = this.projectOf(key) ?? -1;
    const select = this.sql(
      `SELECT id, document, chunk, title, text, start, "end", page, language
       FROM lexical_passages WHERE id = ? AND project = ?`,
    );
    return ids.flatMap((id) => {
      const row = select.get(id, project) as (StoredPassage & { page: number | null }) | undefined;
      if (row === undefined) return [];
      const { page, ...passage } = row;
      return [page === null ? passage : { ...passage, page }];
    });
  }

  /** The terms of passages, those of the title first, in the order of the text. */
  terms(key: ProjectKey, ids: readonly number[]): string[][] {
    const project = this.projectOf(key) ?? -1;
    const select = this.sql('SELECT title_terms, terms FROM lexical_passages WHERE id = ? AND project = ?');
    return ids.map((id) => {
      const row = select.get(id, project);
      return row === undefined ? [] : [...split(row['title_terms']), ...split(row['terms'])];
    });
  }

  /** Passages as they are indexed, in the order of the ids; empty where a passage was removed. */
  sequences(key: ProjectKey, ids: readonly number[]): Indexed[] {
    const project = this.projectOf(key) ?? -1;
    const select = this.sql(`SELECT ${INDEXED} FROM lexical_passages WHERE id = ? AND project = ?`);
    return ids.map((id) => indexedOf(select.get(id, project) ?? {}));
  }

  private load(project: number): Loaded {
    const loaded: Loaded = { image: new LexicalImage(), revision: undefined, ready: Promise.resolve() };
    loaded.ready = this.fill(loaded, project);
    this.loaded.set(project, loaded);
    return loaded;
  }

  private async fill(loaded: Loaded, project: number): Promise<void> {
    const page = this.sql(
      `SELECT id, ${INDEXED} FROM lexical_passages WHERE project = ? AND id > ? ORDER BY id LIMIT ?`,
    );
    for (let last = 0, full = true, limit = LOAD_ROWS.fewest; full;) {
      await new Promise(setImmediate);
      const beganMs = performance.now();
      const rows = page.all(project, last, limit);
      // Within one turn, so that no change of these rows falls in between.
      for (const row of rows) loaded.image.add(Number(row['id']), indexedOf(row));
      last = Number(rows.at(-1)?.['id'] ?? last);
      full = rows.length === limit;
      const fitting = (limit * LOAD_MS) / Math.max(1, performance.now() - beganMs);
      limit = Math.round(Math.min(LOAD_ROWS.most, Math.max(LOAD_ROWS.fewest, fitting)));
    }
    loaded.revision = this.revisionOf(project);
    // The project was dropped meanwhile.
    if (loaded.revision === undefined) this.loaded.delete(project);
  }

  private projectOf(key: ProjectKey): number | undefined {
    const row = this.sql('SELECT key FROM lexical_projects WHERE user_id = ? AND project_id = ?').get(
      key.userId,
      key.projectId,
    );
    return row === undefined ? undefined : Number(row['key']);
  }

  private createProject(key: ProjectKey): number {
    const insert = this.sql('INSERT INTO lexical_projects (user_id, project_id) VALUES (?, ?)');
    return Number(insert.run(key.userId, key.projectId).lastInsertRowid);
  }

  private revisionOf(project: number): number | undefined {
    const row = this.sql('SELECT revision FROM lexical_projects WHERE key = ?').get(project);
    return row === undefined ? undefined : Number(row['revision']);
  }

  /** Counts a change, in the table and in the image. */
  private changed(project: number, growth: number): Loaded | undefined {
    const update = this.sql(
      'UPDATE lexical_projects SET revision = revision + 1, passages = passages + ? WHERE key = ?',
    );
    update.run(growth, project);
    const loaded = this.loaded.get(project);
    if (loaded?.revision !== undefined) loaded.revision++;
    return loaded;
  }

  /** The places of a document's passages by their digests, the first one last. */
  private stored(project: number, path: string): Map<string, Place[]> {
    const rows = this.sql(
      `SELECT id, digest, chunk, start, "end", page FROM lexical_passages WHERE project = ? AND document = ?
       ORDER BY id DESC`,
    ).all(project, path) as unknown as (Place & { digest: string })[];
    const byDigest = new Map<string, Place[]>();
    for (const { digest, ...place } of rows) {
      const places = byDigest.get(digest);
      if (places === undefined) byDigest.set(digest, [place]);
      else places.push(place);
    }
    return byDigest;
  }

  /**
   * Updates the terms of a passage whose content is unchanged to those of the current analysis; false where they are
   * current.
   */
  private refresh(project: number, id: number, passage: AnalysedPassage): boolean {
    const select = this.sql(`SELECT ${INDEXED} FROM lexical_passages WHERE id = ? AND analysis < ?`);
    const before = select.get(id, ANALYSIS_VERSION);
    if (before === undefined) return false;
    const { titleTerms, terms, extras, language, fingerprint } = passage;
    this.sql(
      `UPDATE lexical_passages SET title_terms = ?, terms = ?, extras = ?, language = ?, analysis = ?,
         fingerprint_high = ?, fingerprint_low = ? WHERE id = ?`,
    ).run(
      ...[titleTerms.join(' '), terms.join(' '), extras.join(' '), language, ANALYSIS_VERSION],
      ...[fingerprint.high, fingerprint.low, id],
    );
    const image = this.loaded.get(project)?.image;
    if (image?.has(id)) {
      image.remove(id, indexedOf(before));
      image.add(id, passage);
    }
    return true;
  }

  private insert(project: number, path: string, passage: AnalysedPassage): number {
    const { chunk, start, end, digest, title, text, titleTerms, terms, extras, language } = passage;
    const statement = this.sql(
      `INSERT INTO lexical_passages (project, document, chunk, start, "end", digest, title, text, title_terms, terms,
         extras, language, analysis, fingerprint_high, fingerprint_low, page)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    const values = [project, path, chunk, start, end, digest, title, text, titleTerms.join(' '), terms.join(' ')];
    const analysed = [extras.join(' '), language, ANALYSIS_VERSION];
    const { high, low } = passage.fingerprint;
    return Number(statement.run(...values, ...analysed, high, low, passage.page ?? null).lastInsertRowid);
  }

  private delete(project: number, ids: readonly number[]): void {
    if (ids.length > MAX_FOLLOWED_PASSAGES) this.loaded.delete(project);
    const select = this.sql(`SELECT ${INDEXED} FROM lexical_passages WHERE id = ?`);
    const remove = this.sql('DELETE FROM lexical_passages WHERE id = ?');
    const image = this.loaded.get(project)?.image;
    for (const id of ids) {
      const row = image === undefined ? undefined : select.get(id);
      if (row !== undefined) image?.remove(id, indexedOf(row));
      remove.run(id);
    }
  }
}

function split(terms: unknown): string[] {
  return typeof terms === 'string' && terms !== '' ? terms.split(' ') : [];
}

const INDEXED = 'language, title_terms, terms, extras, fingerprint_high, fingerprint_low';

function indexedOf(row: Record<string, unknown>): Indexed {
  return {
    language: typeof row['language'] === 'string' ? row['language'] : '',
    titleTerms: split(row['title_terms']),
    terms: split(row['terms']),
    extras: split(row['extras']),
    fingerprint: { high: Number(row['fingerprint_high']), low: Number(row['fingerprint_low']) },
  };
}
