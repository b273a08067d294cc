import type { EndpointOutput } from '../../../contract/endpoint.js';
import type { FilesystemClient } from '../../../downstream/filesystem/filesystem.client.js';
import type { filesystemContract } from '../../../downstream/filesystem/filesystem.contract.js';
import type { CallContext } from '../../../resilience/policy/call-context.js';
import { DownstreamError } from '../../../resilience/policy/downstream-error.js';

export type StoredDocument = EndpointOutput<typeof filesystemContract.getDocument>;

/** The current document at a path; undefined where there is none. */
export function documentAt(
  filesystem: FilesystemClient,
  project_id: string,
  path: string,
  call: CallContext,
): Promise<StoredDocument | undefined> {
  return filesystem.getDocument({ params: { project_id }, query: { path } }, call).catch(unlessMissing);
}

export function unlessMissing(error: unknown): undefined {
  if (!(error instanceof DownstreamError) || error.status !== 404) throw error;
}

/** The project was deleted meanwhile: there is nothing to synchronise. */
export function unlessGone(error: unknown): void {
  if (error instanceof DownstreamError && error.status === 410) return;
  throw error;
}
