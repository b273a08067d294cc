import { createHash } from 'node:crypto';
import type { ProjectKey } from '../../../../text/lexical-index.js';

/** Names a file and what must be in it. */
export interface StoredFile {
  file: string;
  /** Of the content, in hexadecimal. */
  sha256: string;
}

/** A stored file that is missing or is not what was written. */
export class DamagedFile extends Error {}

/**
 * The contents of documents. A file is written once, under a random name, and is never changed. The database holds its name
 * and hash; a file that the database does not name is a leftover of an interrupted write or deletion.
 */
export abstract class DocumentFiles {
  /** Returns when the content is durable. @param file its name; without it, a new one */
  abstract write(key: ProjectKey, content: Uint8Array, file?: string): Promise<StoredFile>;
  /** @throws DamagedFile where the file is missing or its content has changed */
  abstract read(key: ProjectKey, stored: StoredFile): Promise<Buffer>;
  abstract remove(key: ProjectKey, files: readonly (string | null)[]): Promise<void>;
  abstract removeProject(key: ProjectKey): Promise<void>;
  /**
   * Removes every file that no entry of `known` names. For the start, before the first request.
   * @returns how many were removed, and the entries whose file is missing
   */
  abstract sweep(known: Iterable<{ key: ProjectKey; file: string }>): Promise<{ removed: number; missing: string[] }>;

  close(): void {
    // A store without connections has nothing to close.
  }
}

/** The folder of a project, with `/`: a user's id is letters, digits, `_` and `-`; a project's may be anything, so it is hashed. */
export function folderOf({ userId, projectId }: ProjectKey): string {
  return `${userId}/${createHash('sha256').update(projectId).digest('hex').slice(0, 32)}`;
}

export const hashOf = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');
