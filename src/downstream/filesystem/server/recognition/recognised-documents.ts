import type { ProjectKey } from '../../../../text/lexical-index.js';

export interface RecognisedDocument {
  user_id: string;
  project_id: string;
  path: string;
  version: string;
}

export interface Recognised {
  documents: RecognisedDocument[];
  untilMs: number;
  /** How many documents were recognised and are told later. */
  later: number;
}

/**
 * The documents that lately got a text by recognition, for the caller that brings index and history in step. Those that it
 * does not tell are found by the comparison of the stores.
 */
export abstract class RecognisedDocuments {
  /** Whether other processes recognise documents of the same store. */
  abstract readonly isShared: boolean;

  abstract add(key: ProjectKey, document: { path: string; version: string }): void;

  /** How many documents wait, in all processes; undefined where only this process recognises documents. */
  abstract waiting(): Promise<number | undefined>;

  abstract since(afterMs: number): Promise<Recognised>;
}

const MAX_KEPT = 10_000;

/** Kept in memory: those of before a restart, and those beyond the limit, are not told. */
export class KeptRecognised extends RecognisedDocuments {
  readonly isShared = false;
  private readonly documents: (RecognisedDocument & { atMs: number })[] = [];
  private lastMs = 0;

  add({ userId, projectId }: ProjectKey, { path, version }: { path: string; version: string }): void {
    // Strictly later than the one before, and than any of an earlier run.
    this.lastMs = Math.max(this.lastMs + 1, Date.now());
    this.documents.push({ user_id: userId, project_id: projectId, path, version, atMs: this.lastMs });
    if (this.documents.length > MAX_KEPT) this.documents.shift();
  }

  async waiting(): Promise<undefined> {
    return undefined;
  }

  async since(afterMs: number): Promise<Recognised> {
    const found = this.documents.filter(({ atMs }) => atMs > afterMs);
    const documents = found.map(({ atMs: _, ...document }) => document);
    return { documents, untilMs: Math.max(afterMs, this.lastMs), later: 0 };
  }
}
