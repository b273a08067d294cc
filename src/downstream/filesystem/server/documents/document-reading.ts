import { Logger } from '@nestjs/common';
import { pathFault } from '../../../../contract/document-path.js';
import { badRequest, notFound, Problem } from '../../../../http/problem.js';
import { DamagedFile } from '../files/document-files.js';

const log = new Logger('Documents');

/**
 * Reads a second time where a file is missing: the document may have been replaced after its row was read.
 * @throws Problem 404 where `look` finds nothing; 409 `document_damaged`
 */
export async function readDocument<T>(path: string, look: () => Promise<T | undefined>): Promise<T> {
  const found = await look().catch((error: unknown) => {
    if (error instanceof DamagedFile) return look().catch((again: unknown) => damaged(path, again));
    throw error;
  });
  if (found === undefined) throw notFound(`There is no document ${JSON.stringify(path)}.`);
  return found;
}

/** A 4xx, because one damaged file must not open the breaker for the whole server. */
function damaged(path: string, error: unknown): never {
  if (!(error instanceof DamagedFile)) throw error;
  log.error(error.message);
  throw new Problem({
    status: 409,
    code: 'document_damaged',
    detail: `The stored file of ${path} is missing or damaged; upload the document again or restore a version of it.`,
  });
}

export function checkPath(path: string): void {
  const fault = pathFault(path);
  if (fault !== undefined) throw badPath(fault);
}

export const badPath = (fault: string) => badRequest('invalid_path', `path: ${fault}`);
