import { Injectable } from '@nestjs/common';
import type { ProjectKey } from '../../../../text/lexical-index.js';

export interface RecognisedDocument {
  user_id: string;
  project_id: string;
  path: string;
  version: string;
}

const MAX_KEPT = 10_000;

/**
 * The documents that lately got a text by recognition, for the caller that brings index and history in step. Those of
 * before a restart, and those beyond the limit, are found by the comparison of the stores.
 */
@Injectable()
export class RecognisedDocuments {
  private readonly documents: (RecognisedDocument & { atMs: number })[] = [];
  private lastMs = 0;

  add({ userId, projectId }: ProjectKey, { path, version }: { path: string; version: string }): void {
    // Strictly later than the one before, and than any of an earlier run.
    this.lastMs = Math.max(this.lastMs + 1, Date.now());
    this.documents.push({ user_id: userId, project_id: projectId, path, version, atMs: this.lastMs });
    if (this.documents.length > MAX_KEPT) this.documents.shift();
  }

  since(afterMs: number): { documents: RecognisedDocument[]; untilMs: number } {
    const found = this.documents.filter(({ atMs }) => atMs > afterMs);
    return { documents: found.map(({ atMs: _, ...document }) => document), untilMs: Math.max(afterMs, this.lastMs) };
  }
}
