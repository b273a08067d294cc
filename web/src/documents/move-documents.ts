import { api, dataOf } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { randomId } from '../api/random-id.ts';
import { undoQueue } from '../layout/undo.ts';
import { moveDrafts } from '../session/drafts.ts';
import { t } from '../texts/en.ts';

/** A document, or a folder with all documents in it: then both paths end with a slash. */
export interface Move {
  from: string;
  to: string;
  /** Whether the links of the project's documents are changed so that they still lead to what was moved. */
  updateLinks: boolean;
}

/**
 * Moves a document or a folder in one operation, and offers to take it back.
 * @param key the same for each try of one move, so that a repeated request moves nothing twice
 * @param onBack called after the move was taken back
 * @throws ApiProblem, BackendAway where nothing was moved
 */
export async function moveWithUndo(project: string, move: Move, key: string, onBack: () => void): Promise<void> {
  const { from, to } = move;
  const moved = await request(project, move, key);
  moveDrafts(project, from, to);
  await readAgain(project);
  const takeBack = async () => {
    for (const back of await movesBack(project, move, moved)) await request(project, back, randomId());
    moveDrafts(project, to, from);
  };
  undoQueue.add(
    t.documents.moved(from, to),
    () => undefined,
    () =>
      void takeBack()
        .then(onBack, ({ message }: Error) => undoQueue.say(t.documents.notMovedBack(to, message)))
        .then(() => readAgain(project)),
  );
}

async function request(project: string, { from, to, updateLinks }: Move, key: string) {
  const params = { path: { project_id: project }, header: { 'Idempotency-Key': key } };
  const body = { from, to, update_links: updateLinks };
  return (await dataOf(api.POST('/v1/api/projects/{project_id}/move', { params, body }))).moved;
}

/** One move of the whole folder, unless it has come to hold other documents as well. */
async function movesBack(
  project: string,
  { from, to, updateLinks }: Move,
  moved: readonly { from: string; to: string }[],
): Promise<Move[]> {
  if (moved.length > 1) {
    const params = { path: { project_id: project }, query: { limit: 1, prefix: to } };
    const { total } = await dataOf(api.GET('/v1/api/projects/{project_id}/documents', { params }));
    if (total !== moved.length) return moved.map((one) => ({ from: one.to, to: one.from, updateLinks }));
  }
  return [{ from: to, to: from, updateLinks }];
}

async function readAgain(project: string): Promise<void> {
  const kinds = ['documents', 'document', 'history', 'related', 'graph'];
  await Promise.all(kinds.map((kind) => queries.invalidateQueries({ queryKey: [kind, project] })));
}
