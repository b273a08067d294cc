import { type Move, movesOf } from './renames.js';
import type { Synced } from './sync-state.js';

/** The action for one document, or for the documents of a move; `path` is where the document is afterwards. */
export type Action =
  /** `version`: the one to be replaced; null where the server has no such document. */
  | { kind: 'upload'; path: string; version: string | null }
  /** A file or folder was renamed here. */
  | { kind: 'move'; path: string; move: Move }
  | { kind: 'delete'; path: string }
  /** The server has another version than the last one seen; its content decides what to do. */
  | { kind: 'compare'; path: string; version: string }
  /** Only the state is deleted. */
  | { kind: 'forget'; path: string }
  /** The server's document was changed there, and the file was not. */
  | { kind: 'leave'; path: string }
  /** The server's document is written to the folder. `digest`: that of the file to be replaced; null where there is none. */
  | { kind: 'download'; path: string; version: string; digest: string | null }
  /** The document was deleted on the server, and the file was not changed. */
  | { kind: 'remove'; path: string; digest: string };

export interface Sides {
  /** The digests of the files, by path. */
  files: ReadonlyMap<string, string>;
  synced: ReadonlyMap<string, Synced>;
  /** The versions of the server's documents, by path. */
  remote: ReadonlyMap<string, string>;
  isLeftOut: (path: string) => boolean;
  /** Whether the whole folder was read; a missing file may lie in a part that was not. */
  isWhole: boolean;
  /** Whether changes on the server come to the folder, too. */
  both: boolean;
}

/** What happens first: nothing is deleted before it is under its new name. */
const ORDER: readonly Action['kind'][] = [
  'compare',
  'move',
  'upload',
  'download',
  'leave',
  'remove',
  'delete',
  'forget',
];

/** The actions that bring the two sides in step. */
export function planOf(sides: Sides): Action[] {
  const paths = new Set([...sides.files.keys(), ...sides.synced.keys(), ...(sides.both ? sides.remote.keys() : [])]);
  const actions = [...paths].map((path) => actionFor(path, sides)).filter((action) => action !== undefined);
  const planned = withMoves(actions, sides);
  return ORDER.flatMap((kind) => planned.filter((action) => action.kind === kind));
}

function actionFor(path: string, sides: Sides): Action | undefined {
  const digest = sides.files.get(path);
  const known = sides.synced.get(path);
  const version = sides.remote.get(path);
  if (digest !== undefined) return forFile(path, digest, known, version, sides.both);
  return sides.isWhole ? forMissing(path, known, version, sides) : undefined;
}

function forMissing(
  path: string,
  known: Synced | undefined,
  version: string | undefined,
  { isLeftOut, both }: Sides,
): Action | undefined {
  const isOut = isLeftOut(path);
  if (known === undefined) {
    return both && version !== undefined && !isOut ? { kind: 'download', path, version, digest: null } : undefined;
  }
  if (version === undefined || isOut) return { kind: 'forget', path };
  if (version === known.version) return { kind: known.own || both ? 'delete' : 'forget', path };
  if (known.pending !== null) return { kind: 'compare', path, version };
  return both ? { kind: 'download', path, version, digest: null } : { kind: 'forget', path };
}

function forFile(
  path: string,
  digest: string,
  known: Synced | undefined,
  version: string | undefined,
  both: boolean,
): Action | undefined {
  const isUnchanged = known !== undefined && known.pending === null && known.digest === digest;
  if (known?.refused === digest) return undefined;
  if (version === undefined) {
    return both && isUnchanged ? { kind: 'remove', path, digest } : { kind: 'upload', path, version: null };
  }
  if (known?.version === version) return known.digest === digest ? undefined : { kind: 'upload', path, version };
  if (!isUnchanged) return { kind: 'compare', path, version };
  return both ? { kind: 'download', path, version, digest } : { kind: 'leave', path };
}

/** Replaces the deletion of a renamed document and the upload under its new name by a move. */
function withMoves(actions: readonly Action[], { files, synced, remote }: Sides): Action[] {
  const [gone, fresh] = [new Map<string, string>(), new Map<string, string>()];
  for (const action of actions) {
    const { kind, path } = action;
    const [before, now] = [synced.get(path)?.digest, files.get(path)];
    if (kind === 'delete' && typeof before === 'string') gone.set(path, before);
    if (kind === 'upload' && action.version === null && now !== undefined) fresh.set(path, now);
  }
  if (gone.size === 0 || fresh.size === 0) return [...actions];
  const moves = movesOf(gone, fresh, remote.keys());
  const concerned = new Set(moves.flatMap(({ documents }) => documents.flatMap(({ from, to }) => [from, to])));
  return [
    ...actions.filter(({ path }) => !concerned.has(path)),
    ...moves.map((move) => ({ kind: 'move', path: move.to, move }) as const),
  ];
}
