import { DownstreamError } from '../../../resilience/policy/downstream-error.js';
import { claimedId } from '../../call/claim.js';

/** How often an imported object may have been deleted here before. */
const MAX_DELETED = 100;

/**
 * Creates an imported object under its own id. Where the account has deleted an object with this id (410), it gets another
 * one, which is the same in every repetition of the import until that one is deleted too.
 */
export async function underFreeId<T>(
  { userId, id, kind }: { userId: string; id: string; kind: string },
  create: (id: string) => Promise<T>,
): Promise<T> {
  for (let deleted = 0; ; deleted++) {
    try {
      return await create(deleted === 0 ? id : claimedId({ userId, key: `import ${id}` }, `${kind} ${deleted}`));
    } catch (error) {
      if (!(error instanceof DownstreamError && error.status === 410) || deleted === MAX_DELETED) throw error;
    }
  }
}
