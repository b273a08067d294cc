import type { Synced } from './sync-state.js';

/** The action for one document. */
export type Action =
  /** `version`: the one to be replaced; null where the server has no such document. */
  | { kind: 'upload'; path: string; version: string | null; renamedFrom?: string }
  | { kind: 'delete'; path: string }
  /** The server has another version than the last one seen; its content decides what to do. */
  | { kind: 'compare'; path: string; version: string }
  /** Only the state is deleted. */
  | { kind: 'forget'; path: string }
  /** The server's document was changed there, and the file was not. */
  | { kind: 'leave'; path: string };

export interface Sides {
  /** The digests of the files, by path. */
  files: ReadonlyMap<string, string>;
  synced: ReadonlyMap<string, Synced>;
  /** The versions of the server's documents, by path. */
  remote: ReadonlyMap<string, string>;
  isLeftOut: (path: string) => boolean;
}

/** The actions that bring the server in step with the folder: uploads first, so that a renamed document is never missing. */
export function planOf(sides: Sides): Action[] {
  const paths = new Set([...sides.files.keys(), ...sides.synced.keys()]);
  const actions = [...paths].map((path) => actionFor(path, sides)).filter((action) => action !== undefined);
  const isLast = ({ kind }: Action) => kind === 'delete' || kind === 'forget';
  return withRenames([...actions.filter((action) => !isLast(action)), ...actions.filter(isLast)], sides);
}

function actionFor(path: string, { files, synced, remote, isLeftOut }: Sides): Action | undefined {
  const digest = files.get(path);
  const known = synced.get(path);
  const version = remote.get(path);
  if (digest !== undefined) return forFile(path, digest, known, version);
  if (known === undefined) return undefined;
  if (version === undefined || isLeftOut(path)) return { kind: 'forget', path };
  if (known.pending !== null && version !== known.version) return { kind: 'compare', path, version };
  return { kind: known.own && version === known.version ? 'delete' : 'forget', path };
}

function forFile(path: string, digest: string, known: Synced | undefined, version: string | undefined) {
  if (known?.refused === digest) return undefined;
  if (version === undefined) return { kind: 'upload', path, version: null } as const;
  if (known?.version === version) {
    return known.digest === digest ? undefined : ({ kind: 'upload', path, version } as const);
  }
  const isOnlyThere = known !== undefined && known.pending === null && known.digest === digest;
  return isOnlyThere ? ({ kind: 'leave', path } as const) : ({ kind: 'compare', path, version } as const);
}

/** Marks a new document as renamed from a deleted one with the same content, for the output; the server gets both actions. */
function withRenames(actions: readonly Action[], { files, synced }: Sides): Action[] {
  const gone = new Map<string, string>();
  for (const { kind, path } of actions) {
    const digest = synced.get(path)?.digest;
    if (kind === 'delete' && typeof digest === 'string') gone.set(digest, path);
  }
  return actions.map((action) => {
    const digest = files.get(action.path) ?? '';
    const renamedFrom = action.kind === 'upload' && action.version === null ? gone.get(digest) : undefined;
    if (renamedFrom === undefined) return action;
    gone.delete(digest);
    return { ...action, renamedFrom } as Action;
  });
}
