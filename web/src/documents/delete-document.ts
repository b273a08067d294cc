import { api, dataOf } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { undoQueue } from '../layout/undo.ts';
import { forgetDraftsOf } from '../session/drafts.ts';
import { t } from '../texts/en.ts';

/** Hides a document at once and deletes it when the time to take it back is over. */
export function deleteWithUndo(project: string, path: string, onHide: (hidden: boolean) => void): void {
  onHide(true);
  undoQueue.add(
    t.documents.deleted(path),
    (keepalive) =>
      void remove(project, path, keepalive).catch(({ message }: Error) => {
        onHide(false);
        undoQueue.say(t.undo.notDeleted(path, message));
      }),
    () => onHide(false),
  );
}

async function remove(project: string, path: string, keepalive: boolean): Promise<void> {
  const params = { path: { project_id: project, path } };
  await dataOf(api.DELETE('/v1/api/projects/{project_id}/documents/{path}', { params, keepalive }));
  forgetDraftsOf(project, path);
  await queries.invalidateQueries({ queryKey: ['documents', project] });
  await queries.invalidateQueries({ queryKey: ['projects'] });
}
