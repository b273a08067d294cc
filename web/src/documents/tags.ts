import { api, dataOf } from '../api/client.ts';
import { patiently } from '../api/many.ts';
import type { DocumentInfo } from '../api/shapes.ts';
import { queries } from '../api/queries.ts';
import { t } from '../texts/en.ts';
import { carryOut } from './carry-out.ts';

/** A service that asks for a longer wait has failed; the person is told. */
const LONGEST_WAIT_MS = 5000;

/** The tags in a text with commas; the backend stores them in lower case, and so they are compared. */
export function tagsIn(text: string): string[] {
  const tags = text.split(',').map((tag) => tag.normalize('NFC').trim().replace(/^#/, '').toLowerCase());
  return [...new Set(tags)].filter((tag) => tag !== '');
}

/** Every tag that a person set in a project, by the alphabet. */
export const tagsOf = (documents: readonly DocumentInfo[]) =>
  [...new Set(documents.flatMap(({ tags = [] }) => tags))].sort((a, b) => a.localeCompare(b));

/** @returns the tags as they are stored */
export async function storeTags(project: string, path: string, tags: readonly string[]): Promise<string[]> {
  const params = { path: { project_id: project } };
  const body = { path, tags: [...tags] };
  const stored = await patiently(() => dataOf(api.PUT('/v1/api/projects/{project_id}/tags', { params, body })), {
    longestWaitMs: LONGEST_WAIT_MS,
  });
  void queries.invalidateQueries({ queryKey: ['search', project] });
  return stored.tags;
}

/** Adds tags to each of many documents; those that it has already stay. */
export function tagDocuments(project: string, documents: readonly DocumentInfo[], added: readonly string[]): void {
  void carryOut(project, {
    items: documents,
    request: async (batch, key) => {
      const params = { path: { project_id: project }, header: { 'Idempotency-Key': key } };
      const documents = batch.map(({ path, tags = [] }) => ({ path, tags: [...new Set([...tags, ...added])] }));
      const tagging = api.POST('/v1/api/projects/{project_id}/documents/tags', { params, body: { documents } });
      return (await dataOf(tagging)).documents;
    },
    going: t.tags.tagging(documents.length),
    done: (tagged) => ({ text: t.tags.tagged(tagged.length) }),
    failed: t.tags.notTagged,
  });
}
