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
    request: (batch, key) => remove(project, batch, true, key),
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
    request: async (batch, key) => {
      const results = await remove(project, batch, false, key);
      for (const { path } of batch) forgetDraftsOf(project, path);
      return results;
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
    request: async (batch, key) => {
      const body = {
        documents: batch.map(({ path, version }) => ({ path, ...(version !== undefined && { version }) })),
      };
      const params = paramsOf(project, key);
      return (await dataOf(api.POST('/v1/api/projects/{project_id}/documents/restore', { params, body }))).documents;
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
    request: async (batch, key) => {
      const body = { documents: batch.map(({ path, version }) => ({ path, version })) };
      const params = paramsOf(project, key);
      await dataOf(api.POST('/v1/api/projects/{project_id}/trash/delete', { params, body, keepalive: true }));
      for (const { path } of batch) forgetDraftsOf(project, path);
      return [];
    },
    going: t.trash.purging(items.length),
    done: (purged) => ({ text: t.trash.purged(nameFor(purged), purged.length) }),
    failed: t.trash.notPurged,
  });
}

const nameFor = (items: readonly { path: string }[], name?: string) =>
  name ?? (items.length === 1 ? items[0]?.path : undefined);

const paramsOf = (project: string, key: string) => ({
  path: { project_id: project },
  header: { 'Idempotency-Key': key },
});

/** A document that is gone already counts as deleted. */
async function remove(project: string, items: readonly { path: string }[], trash: boolean, key: string) {
  const body = { paths: items.map(({ path }) => path), trash };
  const params = paramsOf(project, key);
  const deletion = api.POST('/v1/api/projects/{project_id}/documents/delete', { params, body, keepalive: true });
  return (await dataOf(deletion)).documents.map((result) =>
    'error' in result && result.error.code !== 'not_found' ? result : {},
  );
}
