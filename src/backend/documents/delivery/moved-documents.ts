import { uploadVersion } from '../../../contract/extraction-version.js';
import type { FilesystemClient } from '../../../downstream/filesystem/filesystem.client.js';
import type { CallContext } from '../../../resilience/policy/call-context.js';
import { type Move, type MovedDocument, pathBefore } from '../moving/move-payload.js';
import { documentAt, unlessMissing } from './stored-document.js';

const PAGE = 1000;

/** The documents that have the version of a move whose answer was lost; none where the filesystem server did not make it. */
export async function movedDocuments(
  filesystem: FilesystemClient,
  project_id: string,
  move: Move,
  call: CallContext,
): Promise<MovedDocument[]> {
  if (move.planned !== undefined) return plannedOf(filesystem, project_id, move.version, move.planned, call);
  const params = { project_id };
  const query = { prefix: move.to, limit: PAGE, offset: 0 };
  const found: MovedDocument[] = [];
  for (let total = Infinity; query.offset < total; query.offset += PAGE) {
    const page = await filesystem.listDocuments({ params, query }, call).catch(unlessMissing);
    total = page?.total ?? 0;
    for (const { path, version } of page?.documents ?? []) {
      const isMoved = uploadVersion(version) === move.version && (move.to.endsWith('/') || path === move.to);
      if (isMoved) found.push({ from: pathBefore(move, path), to: path });
    }
  }
  return found;
}

/** Those documents of a move of several that have its version. */
async function plannedOf(
  filesystem: FilesystemClient,
  project_id: string,
  version: string,
  planned: readonly MovedDocument[],
  call: CallContext,
): Promise<MovedDocument[]> {
  const found: MovedDocument[] = [];
  for (const { from, to } of planned) {
    const document = await documentAt(filesystem, project_id, to, call);
    if (document !== undefined && uploadVersion(document.version) === version) found.push({ from, to });
  }
  return found;
}
