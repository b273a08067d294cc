import { api, ApiProblem, dataOf } from '../api/client.ts';
import type { DocumentInfo } from '../api/shapes.ts';
import { moveDrafts } from '../session/drafts.ts';
import { t } from '../texts/en.ts';
import { carryOut } from './carry-out.ts';
import { documentsUnder } from './folders.ts';
import { folderOf, nameOf } from './paths.ts';

/** A document and its new path; `path` is the old one. */
export interface MovedOne {
  path: string;
  to: string;
}

/** What one request takes: the links of the whole project are read for each. */
const BATCH = 200;

/** The folder that was typed; empty for the top of the project. */
export function folderTyped(typed: string): string {
  const folder = typed.trim().replace(/^\/+|\/+$/g, '');
  return folder === '' ? '' : `${folder}/`;
}

/**
 * Where the chosen documents and folders come to be in a folder: each keeps its name, and a folder what is in it.
 * @returns those whose paths change
 */
export function movesInto(documents: readonly DocumentInfo[], chosen: readonly string[], folder: string): MovedOne[] {
  const moves = chosen.flatMap((id) => {
    const parent = folderOf(id.replace(/\/$/, ''));
    return documentsUnder(documents, [id]).map(({ path }) => ({ path, to: folder + path.slice(parent.length) }));
  });
  return moves.filter(({ path, to }) => path !== to);
}

/**
 * Moves several documents, and offers to take it back.
 * @param name where they go; undefined for a move back
 */
export function moveSeveral(
  project: string,
  moves: readonly MovedOne[],
  { name, updateLinks }: { name: string | undefined; updateLinks: boolean },
): void {
  void carryOut(project, {
    items: moves,
    batch: BATCH,
    request: async (batch, key) => {
      const params = { path: { project_id: project }, header: { 'Idempotency-Key': key } };
      const body = { moves: batch.map(({ path, to }) => ({ from: path, to })), update_links: updateLinks };
      const moving = api.POST('/v1/api/projects/{project_id}/documents/move', { params, body });
      const { documents } = await dataOf(moving);
      for (const one of documents) if (!('error' in one)) moveDrafts(project, one.from, one.to);
      return documents;
    },
    going: t.documents.movingSeveral(moves.length),
    done: (moved) => ({
      text:
        name === undefined
          ? t.documents.movedBack(moved.length)
          : t.documents.movedSeveral(moved.length === 1 ? nameOf(moved[0]?.path ?? '') : undefined, moved.length, name),
      ...(name !== undefined && {
        undo: () => {
          // The last one first: its old place may be the new one of another.
          const back = moved.map(({ path, to }) => ({ path: to, to: path })).reverse();
          moveSeveral(project, back, { name: undefined, updateLinks });
        },
      }),
    }),
    failed: t.documents.notMoved,
    impossible: (error) =>
      updateLinks && error instanceof ApiProblem && error.code === 'too_many_documents'
        ? {
            text: t.documents.tooManyForLinks,
            actions: [[t.documents.moveWithoutLinks, () => moveSeveral(project, moves, { name, updateLinks: false })]],
          }
        : undefined,
  });
}
