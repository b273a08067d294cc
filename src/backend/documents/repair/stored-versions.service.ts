import { Injectable } from '@nestjs/common';
import type { Inventory } from '../../../contract/inventory.contract.js';
import type { ChromaClient } from '../../../downstream/chroma/chroma.client.js';
import { FilesystemClient } from '../../../downstream/filesystem/filesystem.client.js';
import type { GitClient } from '../../../downstream/git/git.client.js';
import type { CallContext } from '../../../resilience/policy/call-context.js';
import { DownstreamError } from '../../../resilience/policy/downstream-error.js';

export interface Owned {
  userId: string;
  projectId: string;
}
export type Held = Inventory['projects'][number];

/** Unique over all users: two users may have projects of one id. */
export const nameOf = ({ user_id, project_id }: Held) => `${user_id}/${project_id}`;
export const ownerOf = ({ user_id, project_id }: Held): Owned => ({ userId: user_id, projectId: project_id });

export interface StoredVersion {
  path: string;
  version: string;
  /** ISO 8601; for files only. */
  updated_at?: string;
}

const PAGE = 1000;
const CALL_MS = 30_000;

/** The documents and versions on each server: a digest for every project, or a list for one project. */
@Injectable()
export class StoredVersions {
  constructor(private readonly filesystem: FilesystemClient) {}

  /** All projects with files. */
  projects(signal: AbortSignal): Promise<Held[]> {
    return this.inventory(this.filesystem, signal);
  }

  /** All projects of which a server has documents. */
  inventory(client: Pick<ChromaClient | GitClient | FilesystemClient, 'inventory'>, signal: AbortSignal) {
    return collect((query) => client.inventory({ query }, callOf(undefined, signal)));
  }

  /** All versions of all projects on a git server. */
  versionInventory(git: GitClient, signal: AbortSignal): Promise<Held[]> {
    return collect((query) => git.versionInventory({ query }, callOf(undefined, signal)));
  }

  /** Empty where the project no longer exists. */
  async ofFiles({ userId, projectId }: Owned, signal: AbortSignal): Promise<StoredVersion[]> {
    const params = { project_id: projectId };
    const call = callOf(userId, signal);
    return paged((offset) =>
      this.filesystem.listDocuments({ params, query: { prefix: '', limit: PAGE, offset } }, call),
    ).catch((error: unknown) => {
      if (error instanceof DownstreamError && error.status === 404) return [];
      throw error;
    });
  }

  async ofIndex(chroma: ChromaClient, { userId, projectId }: Owned, signal: AbortSignal): Promise<StoredVersion[]> {
    const params = { project_id: projectId };
    return paged((offset) => chroma.versions({ params, query: { limit: PAGE, offset } }, callOf(userId, signal)));
  }

  /** The newest version of each document that is not deleted. */
  async ofHistory(git: GitClient, { userId, projectId }: Owned, signal: AbortSignal): Promise<StoredVersion[]> {
    const params = { project_id: projectId };
    return paged((offset) => git.heads({ params, query: { limit: PAGE, offset } }, callOf(userId, signal)));
  }

  /** Those of the versions that the history lacks. */
  async unknownToHistory(
    git: GitClient,
    { userId, projectId }: Owned,
    versions: readonly StoredVersion[],
    signal: AbortSignal,
  ): Promise<StoredVersion[]> {
    const unknown: StoredVersion[] = [];
    for (let at = 0; at < versions.length; at += PAGE) {
      const some = versions.slice(at, at + PAGE);
      const body = { documents: some.map(({ path, version }) => ({ path, version })) };
      const answer = await git.unknown({ params: { project_id: projectId }, body }, callOf(userId, signal));
      const paths = new Set(answer.documents.map(({ path }) => path));
      unknown.push(...some.filter(({ path }) => paths.has(path)));
    }
    return unknown;
  }
}

export function callOf(userId: string | undefined, signal: AbortSignal): CallContext {
  const deadlineMs = performance.now() + CALL_MS;
  return { requestId: 'repair', signal, deadlineMs, ...(userId && { userId }) };
}

async function collect(ask: (query: { after?: string }) => Promise<Inventory>): Promise<Held[]> {
  const held: Held[] = [];
  for (let after: string | null | undefined; after !== null;) {
    const page: Inventory = await ask(after === undefined ? {} : { after });
    held.push(...page.projects);
    after = page.next;
  }
  return held;
}

async function paged(
  ask: (offset: number) => Promise<{ documents: StoredVersion[]; total: number }>,
): Promise<StoredVersion[]> {
  const versions: StoredVersion[] = [];
  for (let offset = 0, total = Infinity; offset < total; offset += PAGE) {
    const page = await ask(offset);
    total = page.total;
    versions.push(...page.documents);
  }
  return versions;
}
