import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { InjectConfig } from '../../../../config/config.module.js';
import type { Config } from '../../../../config/config.schema.js';
import { openDatabase, transaction } from '../../../../storage/sqlite.js';
import { ProjectInventory } from '../../../../storage/inventory.js';
import { scrubSoon } from '../../../../storage/scrub.js';
import { preparedBy } from '../../../../storage/statements.js';
import type { AnalysedDocument } from '../../../../text/analysed-document.js';
import {
  LEXICAL_AUTHORS_MIGRATION,
  LEXICAL_LABELS_MIGRATION,
  LEXICAL_LANGUAGES_MIGRATION,
  LEXICAL_MIGRATION,
  LEXICAL_PAGES_MIGRATION,
  LexicalIndex,
  type LexicalChange,
  type ProjectKey,
} from '../../../../text/lexical-index.js';
import { isZero } from './vectors.js';

/** A generation: one state of a project's embedder, with its own collection of vectors in ChromaDB. */
export interface Generation extends ProjectKey {
  id: number;
  collection: string;
  /** The name of the embedding method, for instance `lsa`. */
  embedder: string;
  /** The number of passages when the embedder was trained; 0 where it is not trained. */
  trainedOn: number;
}

export interface Embedded {
  id: number;
  vector: Float32Array;
}

/**
 * A document that is ready to be written; `vectors` are those of `passages.fresh`, in the same order. Undefined: they
 * are made after the write.
 */
export interface PreparedDocument {
  version: string;
  analysed: AnalysedDocument;
  vectors: readonly Float32Array[] | undefined;
  /** Those that a person gave to it; undefined: they stay as they are. */
  tags?: readonly string[] | undefined;
  /** When it was stored, in ms since 1970; now by default. */
  storedMs?: number | undefined;
}

/** `building`: not yet used for search; `current`: used for search; `retired`: to be deleted, also from ChromaDB. */
type State = 'building' | 'current' | 'retired';

export const INDEX_MIGRATIONS = [
  `${LEXICAL_MIGRATION};
  CREATE TABLE documents (
    user_id TEXT NOT NULL, project_id TEXT NOT NULL, path TEXT NOT NULL, version TEXT NOT NULL, passages INTEGER NOT NULL,
    PRIMARY KEY (user_id, project_id, path)) STRICT, WITHOUT ROWID;
  CREATE TABLE generations (
    id INTEGER PRIMARY KEY AUTOINCREMENT, user_id TEXT NOT NULL, project_id TEXT NOT NULL, collection TEXT NOT NULL UNIQUE,
    embedder TEXT NOT NULL, trained_on INTEGER NOT NULL, state TEXT NOT NULL, model BLOB) STRICT;
  CREATE INDEX generations_by_project ON generations (user_id, project_id, state);
  CREATE TABLE vectors (
    generation INTEGER NOT NULL, passage INTEGER NOT NULL, vector BLOB,
    PRIMARY KEY (generation, passage)) STRICT, WITHOUT ROWID`,
  // Without rowids, a vector of a kilobyte would take a page of its own.
  `ALTER TABLE vectors RENAME TO vectors_before;
  CREATE TABLE vectors (
    generation INTEGER NOT NULL, passage INTEGER NOT NULL, vector BLOB, PRIMARY KEY (generation, passage)) STRICT;
  INSERT INTO vectors SELECT * FROM vectors_before;
  DROP TABLE vectors_before`,
  LEXICAL_LANGUAGES_MIGRATION,
  LEXICAL_PAGES_MIGRATION,
  LEXICAL_AUTHORS_MIGRATION,
  // A passage that says the same as another one gets its vector.
  'CREATE INDEX lexical_passages_by_digest ON lexical_passages (project, digest)',
  LEXICAL_LABELS_MIGRATION,
];

/**
 * The index in SQLite: documents, passages and their vectors. The vector of a passage never changes within a
 * generation, and ids are never reused: ChromaDB's copy is correct if it has the same ids.
 */
@Injectable()
export class IndexStore implements OnApplicationShutdown {
  readonly file: string;
  readonly passages: LexicalIndex;
  readonly inventory: ProjectInventory;
  private readonly db: DatabaseSync;
  private readonly sql: (text: string) => StatementSync;

  constructor(@InjectConfig() config: Config) {
    this.file = join(config.data_dir, 'chroma', 'index.sqlite');
    this.db = openDatabase(this.file, INDEX_MIGRATIONS);
    // Passages are written in megabytes: this sets fewer and larger checkpoints, and a cache for the pages of the
    // indices.
    this.db.exec('PRAGMA wal_autocheckpoint = 8000; PRAGMA cache_size = -32000');
    this.sql = preparedBy(this.db);
    this.passages = new LexicalIndex(this.db);
    this.inventory = new ProjectInventory(this.db, 'documents');
  }

  onApplicationShutdown(): void {
    this.db.close();
  }

  /** The data of an indexed document; undefined where it is not indexed. */
  version({ userId, projectId }: ProjectKey, path: string): { version: string; passages: number } | undefined {
    return this.sql('SELECT version, passages FROM documents WHERE user_id = ? AND project_id = ? AND path = ?').get(
      userId,
      projectId,
      path,
    ) as { version: string; passages: number } | undefined;
  }

  /** By path. */
  versions({ userId, projectId }: ProjectKey, limit: number, offset: number): { path: string; version: string }[] {
    return this.sql(
      'SELECT path, version FROM documents WHERE user_id = ? AND project_id = ? ORDER BY path LIMIT ? OFFSET ?',
    ).all(userId, projectId, limit, offset) as { path: string; version: string }[];
  }

  countDocuments({ userId, projectId }: ProjectKey): number {
    return this.number('SELECT count(*) FROM documents WHERE user_id = ? AND project_id = ?', userId, projectId);
  }

  /** Updates documents to their versions, all or none; returns the added and removed passages of each. */
  put(
    key: ProjectKey,
    generation: Generation,
    documents: readonly PreparedDocument[],
  ): { put: number[]; removed: number[] }[] {
    if (documents.length === 0) return [];
    return transaction(this.db, () => documents.map((document) => this.putOne(key, generation, document)));
  }

  private putOne(
    key: ProjectKey,
    generation: Generation,
    { version, analysed, vectors, tags, storedMs }: PreparedDocument,
  ) {
    const change = this.passages.put(key, analysed, storedMs);
    if (tags !== undefined) this.passages.label(key, analysed.path, tags);
    const put = change.added.map(({ id }) => id);
    if (vectors !== undefined) {
      this.insertVectors(
        generation,
        put.map((id, i) => ({ id, vector: vectors[i] as Float32Array })),
      );
    } else for (const id of put) this.copyVector(generation, id);
    this.sql('INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?)').run(
      key.userId,
      key.projectId,
      analysed.path,
      version,
      analysed.passages.length,
    );
    return { put, removed: this.forgetVectors(key, change) };
  }

  /**
   * Gives a document that has this version another path, which must be free; then its passages keep their ids and vectors
   * where `put` finds the same content.
   * @returns when the document was stored, in ms since 1970; undefined where it was not renamed
   */
  rename(key: ProjectKey, from: { path: string; version: string }, to: string): number | undefined {
    if (this.version(key, from.path)?.version !== from.version || this.version(key, to) !== undefined) return undefined;
    return transaction(this.db, () => {
      this.sql('UPDATE documents SET path = ? WHERE user_id = ? AND project_id = ? AND path = ?').run(
        ...[to, key.userId, key.projectId, from.path],
      );
      return this.passages.rename(key, from.path, to);
    });
  }

  /** Sets the tags that a person gave to an indexed document. */
  tag(key: ProjectKey, path: string, tags: readonly string[]): void {
    const known = JSON.stringify(this.passages.labels(key, path));
    if (known !== JSON.stringify(tags)) transaction(this.db, () => this.passages.label(key, path, tags));
  }

  /** Removes documents, all or none; returns the ids of the removed passages of each that was there. */
  remove(key: ProjectKey, paths: readonly string[]): number[][] {
    scrubSoon(this.db);
    return transaction(this.db, () => paths.flatMap((path) => this.removeOne(key, path)));
  }

  private removeOne(key: ProjectKey, path: string): number[][] {
    const { userId, projectId } = key;
    const remove = this.sql('DELETE FROM documents WHERE user_id = ? AND project_id = ? AND path = ?');
    const known = remove.run(userId, projectId, path).changes > 0;
    const removed = this.forgetVectors(key, this.passages.remove(key, path));
    return known || removed.length > 0 ? [removed] : [];
  }

  dropProject(key: ProjectKey): boolean {
    scrubSoon(this.db);
    return transaction(this.db, () => {
      const { userId, projectId } = key;
      this.sql("UPDATE generations SET state = 'retired', model = NULL WHERE user_id = ? AND project_id = ?").run(
        userId,
        projectId,
      );
      this.sql('DELETE FROM documents WHERE user_id = ? AND project_id = ?').run(userId, projectId);
      return this.passages.dropProject(key);
    });
  }

  createGeneration({ userId, projectId }: ProjectKey, embedder: string, trainedOn: number, state: State): Generation {
    const collection = `caudex-${randomUUID()}`;
    const { lastInsertRowid } = this.sql(
      'INSERT INTO generations (user_id, project_id, collection, embedder, trained_on, state) VALUES (?, ?, ?, ?, ?, ?)',
    ).run(userId, projectId, collection, embedder, trainedOn, state);
    return { id: Number(lastInsertRowid), userId, projectId, collection, embedder, trainedOn };
  }

  current({ userId, projectId }: ProjectKey): Generation | undefined {
    return this.generations("user_id = ? AND project_id = ? AND state = 'current'", userId, projectId)[0];
  }

  building({ userId, projectId }: ProjectKey): Generation | undefined {
    return this.generations("user_id = ? AND project_id = ? AND state = 'building'", userId, projectId)[0];
  }

  /** Whether a generation is used for search or will be. */
  isAsked({ id }: Generation): boolean {
    return this.sql("SELECT 1 FROM generations WHERE id = ? AND state <> 'retired'").get(id) !== undefined;
  }

  inState(state: State): Generation[] {
    return this.generations('state = ?', state);
  }

  /** Switches search to a generation that is complete, and retires the one before. */
  promote(generation: Generation): void {
    transaction(this.db, () => {
      this.sql(
        "UPDATE generations SET state = 'retired', model = NULL WHERE user_id = ? AND project_id = ? AND state = 'current'",
      ).run(generation.userId, generation.projectId);
      this.setState(generation, 'current');
    });
  }

  retire(generation: Generation): void {
    this.setState(generation, 'retired');
  }

  /** Deletes a part of a retired generation; true when it is deleted completely. */
  forgetSome({ id }: Generation, limit: number): boolean {
    const { changes } = this.sql(
      'DELETE FROM vectors WHERE generation = ? AND passage IN (SELECT passage FROM vectors WHERE generation = ? LIMIT ?)',
    ).run(id, id, limit);
    if (changes === limit) return false;
    this.sql('DELETE FROM generations WHERE id = ?').run(id);
    scrubSoon(this.db);
    return true;
  }

  saveModel({ id }: Generation, model: Uint8Array): void {
    this.sql('UPDATE generations SET model = ? WHERE id = ?').run(model, id);
  }

  model({ id }: Generation): Uint8Array | undefined {
    return (
      (this.sql('SELECT model FROM generations WHERE id = ?').get(id)?.['model'] as Uint8Array | null) ?? undefined
    );
  }

  /** Of the next `limit` passages after an id, those without a vector in a generation. */
  missing(
    { id, userId, projectId }: Generation,
    after: number,
    limit: number,
  ): { ids: number[]; last: number | undefined } {
    const rows = this.sql(
      `SELECT id, EXISTS (SELECT 1 FROM vectors v WHERE v.generation = ? AND v.passage = p.id) AS known
       FROM lexical_passages p
       WHERE project = (SELECT key FROM lexical_projects WHERE user_id = ? AND project_id = ?) AND id > ?
       ORDER BY id LIMIT ?`,
    ).all(id, userId, projectId, after, limit);
    const ids = rows.filter((row) => row['known'] === 0).map((row) => Number(row['id']));
    return { ids, last: rows.length === 0 ? undefined : Number(rows.at(-1)?.['id']) };
  }

  /** How many passages have a vector in a generation. */
  countVectors({ id }: Generation): number {
    return this.number('SELECT count(*) FROM vectors WHERE generation = ?', id);
  }

  putVectors(generation: Generation, embedded: readonly Embedded[]): void {
    transaction(this.db, () => this.insertVectors(generation, embedded));
  }

  /** The ids of those passages that have one. */
  vectors({ id }: Generation, passages: readonly number[]): Embedded[] {
    const select = this.sql('SELECT vector FROM vectors WHERE generation = ? AND passage = ?');
    return passages.flatMap((passage) => {
      const vector = select.get(id, passage)?.['vector'];
      return vector instanceof Uint8Array ? [{ id: passage, vector: numbersOf(vector) }] : [];
    });
  }

  /** The ids that ChromaDB should have. */
  vectorIds({ id }: Generation): number[] {
    const rows = this.sql('SELECT passage FROM vectors WHERE generation = ? AND vector IS NOT NULL').all(id);
    return rows.map((row) => Number(row['passage']));
  }

  /** Passages that no longer exist are skipped. A zero vector is stored as NULL, because ChromaDB cannot compare it. */
  private insertVectors({ id }: Generation, embedded: readonly Embedded[]): void {
    const insert = this.sql('INSERT OR REPLACE INTO vectors SELECT ?, id, ? FROM lexical_passages WHERE id = ?');
    for (const { id: passage, vector } of embedded) insert.run(id, isZero(vector) ? null : bytesOf(vector), passage);
  }

  /** Gives a passage the vector of another one of the project with the same content, where there is one. */
  private copyVector({ id }: Generation, passage: number): void {
    this.sql(
      `INSERT OR IGNORE INTO vectors
         SELECT v.generation, p.id, v.vector FROM lexical_passages p
           JOIN lexical_passages same ON same.project = p.project AND same.digest = p.digest AND same.id <> p.id
           JOIN vectors v ON v.generation = ? AND v.passage = same.id
           WHERE p.id = ? LIMIT 1`,
    ).run(id, passage);
  }

  private forgetVectors({ userId, projectId }: ProjectKey, { removed }: LexicalChange): number[] {
    const forget = this.sql(
      `DELETE FROM vectors WHERE passage = ? AND generation IN
         (SELECT id FROM generations WHERE user_id = ? AND project_id = ?)`,
    );
    for (const passage of removed) forget.run(passage, userId, projectId);
    return removed;
  }

  private generations(where: string, ...values: string[]): Generation[] {
    const rows = this.sql(
      `SELECT id, user_id AS userId, project_id AS projectId, collection, embedder, trained_on AS trainedOn
       FROM generations WHERE ${where} ORDER BY id`,
    ).all(...values);
    return rows as unknown as Generation[];
  }

  private setState({ id }: Generation, state: State): void {
    this.sql('UPDATE generations SET state = ? WHERE id = ?').run(state, id);
  }

  private number(sql: string, ...values: (string | number)[]): number {
    return Number(Object.values(this.sql(sql).get(...values) ?? {})[0]);
  }
}

function bytesOf(vector: Float32Array): Uint8Array {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}

function numbersOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(new Uint8Array(bytes).buffer);
}
