import { Problem } from '../../../../http/problem.js';
import type { DocumentRow } from './document-row.js';
import { ChangedMeanwhile, isLater, type Move } from './document-store.js';

/** How many taken paths an error names. */
const MAX_NAMED = 5;

/**
 * Compares moves with the documents that are now under the old and the new paths.
 * @throws ChangedMeanwhile; Problem 409 `superseded`, `path_taken`
 */
export function checkMoves(
  moves: readonly Move[],
  current: ReadonlyMap<string, DocumentRow | undefined>,
  isCopy: boolean,
): void {
  for (const { before, row } of moves) {
    const { path, version, file } = before;
    const now = current.get(path);
    if (now?.version !== version || now.file !== file) throw new ChangedMeanwhile(`${path} was changed meanwhile`);
    if (!isCopy && isLater(now.arrived_ms, row.arrived_ms)) throw superseded(path);
  }
  const leaving = new Set(isCopy ? [] : moves.map(({ before }) => before.path));
  const taken = moves
    .map(({ row }) => row.path)
    .filter((path) => current.get(path) !== undefined && !leaving.has(path));
  if (taken.length > 0) throw pathTaken(taken);
}

function superseded(path: string): Problem {
  return new Problem({
    status: 409,
    code: 'superseded',
    detail: `${path} was replaced by a change that came in after this one; nothing was moved.`,
  });
}

function pathTaken(paths: readonly string[]): Problem {
  const named = paths.slice(0, MAX_NAMED).map((path) => JSON.stringify(path));
  const others = paths.length > MAX_NAMED ? ` and ${paths.length - MAX_NAMED} more` : '';
  return new Problem({
    status: 409,
    code: 'path_taken',
    detail: `to: there is a document at ${named.join(', ')}${others} already; delete or move it first, or choose another path. Nothing was changed.`,
  });
}
