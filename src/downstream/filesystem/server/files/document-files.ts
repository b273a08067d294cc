import { createHash, randomUUID } from 'node:crypto';
import pLimit from 'p-limit';
import type { ProjectKey } from '../../../../text/lexical-index.js';

/** The name of a file and the digest of its content. */
export interface StoredFile {
  file: string;
  /** The digest of the content, in hexadecimal. */
  sha256: string;
}

/** Files that are needed, with the projects that they belong to. */
export type Known = Iterable<{ key: ProjectKey; file: string }> | AsyncIterable<{ key: ProjectKey; file: string }>;

/** Writes of one call at the same time: the disk answers several at once. */
export const PARALLEL = 8;

/** A stored file is missing or is not the one that was written. */
export class DamagedFile extends Error {}

/**
 * The contents of documents. A file is written once, under a random name, and is never changed. The database has its
 * name and hash. A file that is not in the database was left by an interrupted write or deletion.
 */
export abstract class DocumentFiles {
  /** Returns when the content is durable. @param file its name; a new one by default */
  abstract write(key: ProjectKey, content: Uint8Array, file?: string): Promise<StoredFile>;
  /** {@link write} for several contents, all or none. @returns them in the same order */
  async writeAll(key: ProjectKey, contents: readonly Uint8Array[]): Promise<StoredFile[]> {
    const files = contents.map(() => randomUUID());
    try {
      return await pLimit(PARALLEL).map(contents, (content, i) => this.write(key, content, files[i]));
    } catch (error) {
      await this.remove(key, files);
      throw error;
    }
  }
  /** @throws DamagedFile where the file is missing or its content has changed */
  abstract read(key: ProjectKey, stored: StoredFile): Promise<Buffer>;
  abstract remove(key: ProjectKey, files: readonly (string | null)[]): Promise<void>;
  abstract removeProject(key: ProjectKey): Promise<void>;
  /**
   * Removes every file without an entry in `known` that is older than `minAgeMs`. Without an age it must be called before
   * the first request: a file is written before its entry is.
   * @returns the number of removed files, and the entries whose file is missing
   */
  abstract sweep(known: Known, minAgeMs?: number): Promise<{ removed: number; missing: string[] }>;

  close(): void {
    // A store without connections has nothing to close.
  }
}

/**
 * The folder of a project, ending in `/`. A user's id consists of letters, digits, `_` and `-`; a project's may be any
 * text, so it is hashed.
 */
export function folderOf({ userId, projectId }: ProjectKey): string {
  return `${userId}/${createHash('sha256').update(projectId).digest('hex').slice(0, 32)}`;
}

export const hashOf = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');
