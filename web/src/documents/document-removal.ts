import { api, ApiProblem, dataOf } from '../api/client.ts';
import type { TrashedDocument } from '../api/shapes.ts';
import { forgetDraftsOf } from '../session/drafts.ts';
import { t } from '../texts/en.ts';
import { carryOut, hiddenId } from './carry-out.ts';

/**
 * Puts documents into the trash of their project.
 * @param name what the person chose, where that is a folder
 */
export function trashDocuments(project: string, paths: readonly string[], name?: string): void {
  const items = paths.map((path) => ({ path }));
  void carryOut(project, {
    items,
    hides: (item) => hiddenId(project, item),
    request: ({ path }) => remove(project, path, true),
    going: t.trash.trashing(items.length),
    done: (trashed) => ({
      text: t.trash.trashed(nameFor(trashed, name), trashed.length),
      undo: () => restoreDocuments(project, trashed),
    }),
    failed: t.trash.notTrashed,
    impossible: (error) =>
      error instanceof ApiProblem && error.code === 'trash_off'
        ? { text: t.trash.off, actions: [[t.trash.purge, () => deleteForGood(project, items)]] }
        : undefined,
  });
}

/** Deletes documents without the trash. */
function deleteForGood(project: string, items: readonly { path: string }[]): void {
  void carryOut(project, {
    items,
    hides: (item) => hiddenId(project, item),
    request: async ({ path }) => {
      await remove(project, path, false);
      forgetDraftsOf(project, path);
    },
    going: t.trash.purging(items.length),
    done: (purged) => ({ text: t.trash.purged(nameFor(purged), purged.length) }),
    failed: t.trash.notPurged,
  });
}

/** An entry of the trash; without a version the one with this path that was deleted last. */
type InTrash = Pick<TrashedDocument, 'path'> & Partial<Pick<TrashedDocument, 'version'>>;

export function restoreDocuments(project: string, items: readonly InTrash[]): void {
  void carryOut(project, {
    items,
    hides: (item) => hiddenId(project, { version: 'latest', ...item }),
    request: ({ path, version }, key) => {
      const params = { path: { project_id: project }, header: { 'Idempotency-Key': key } };
      const body = { path, ...(version !== undefined && { version }) };
      return dataOf(api.POST('/v1/api/projects/{project_id}/trash/restore', { params, body }));
    },
    going: t.trash.restoring(items.length),
    done: (restored) => ({ text: t.trash.restored(nameFor(restored), restored.length) }),
    failed: t.trash.notRestored,
  });
}

/** Removes entries of the trash for good. */
export function purgeFromTrash(project: string, items: readonly TrashedDocument[]): void {
  void carryOut(project, {
    items,
    hides: (item) => hiddenId(project, item),
    request: async ({ path, version }) => {
      const params = { path: { project_id: project }, query: { path, version } };
      await dataOf(api.DELETE('/v1/api/projects/{project_id}/trash', { params, keepalive: true }));
      forgetDraftsOf(project, path);
    },
    going: t.trash.purging(items.length),
    done: (purged) => ({ text: t.trash.purged(nameFor(purged), purged.length) }),
    failed: t.trash.notPurged,
  });
}

const nameFor = (items: readonly { path: string }[], name?: string) =>
  name ?? (items.length === 1 ? items[0]?.path : undefined);

/** A document that is gone already counts as deleted: an earlier try may have succeeded although its answer was lost. */
async function remove(project: string, path: string, toTrash: boolean): Promise<void> {
  const params = { path: { project_id: project, path }, query: toTrash ? { trash: 'true' as const } : {} };
  try {
    await dataOf(api.DELETE('/v1/api/projects/{project_id}/documents/{path}', { params, keepalive: true }));
  } catch (error) {
    if (!(error instanceof ApiProblem && error.status === 404)) throw error;
  }
}
