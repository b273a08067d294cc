import { z } from 'zod';
import { topicAt } from '../../../outbox/outbox.service.js';
import type { NewOutboxEntry, OutboxEntry } from '../../../outbox/outbox.store.js';
import type { CallContext } from '../../../resilience/policy/call-context.js';
import type { WholeVersion } from '../../../downstream/git/git.contract.js';
import type { GitCopy } from '../../../downstream/git/git.copies.js';
import type { FilesystemClient } from '../../../downstream/filesystem/filesystem.client.js';
import { unlessGone, unlessMissing } from './stored-document.js';
import { HISTORY_FILL } from '../../copies/copies.module.js';

/** Of an id in the contract. */
const MAX_SOURCE_CHARS = 200;
const fillPayload = z.object({ /** The server whose history is taken. */ from: z.string() });

/** The entry after which a server has the versions of a project that another one has. */
export function fillEntry(
  { userId, projectId }: { userId: string; projectId: string },
  { to, from }: { to: GitCopy; from: GitCopy },
): NewOutboxEntry {
  const topic = topicAt(HISTORY_FILL, to.endpoint);
  return { topic, key: `${userId}/${projectId}`, userId, projectId, payload: { from: from.endpoint } };
}

/** Gives a git server the history of a project from another one, where it has lost it, or never had it. */
export class HistoryFill {
  constructor(
    private readonly filesystem: FilesystemClient,
    private readonly to: GitCopy,
    private readonly all: readonly GitCopy[],
    /** The versions that wait for the server to be filled, and that it therefore does not have to get from another one. */
    private readonly waiting: (userId: string, projectId: string) => Promise<ReadonlySet<string>>,
  ) {}

  async deliver({ userId, projectId, payload }: OutboxEntry, call: CallContext): Promise<void> {
    const { from: url } = fillPayload.parse(payload);
    const from = this.all.find(({ endpoint }) => endpoint === url);
    const project = { userId, projectId: String(projectId) };
    // The other server may not know yet that the project was deleted.
    if (from === undefined || !(await this.exists(project.projectId, call))) return;
    if (await this.lacksSome(project, from, call)) await this.fill(project.projectId, from, call).catch(unlessGone);
  }

  private async fill(project_id: string, from: GitCopy, call: CallContext): Promise<void> {
    const params = { project_id };
    const source = `${from.endpoint} ${from.connection.instance}`.slice(-MAX_SOURCE_CHARS);
    const take = (versions: readonly WholeVersion[], done = false) =>
      this.to.client.fill({ params, body: { source, versions: [...versions], done } }, call);
    // What an earlier delivery has brought is not sent again.
    let { after } = await take([]);
    for (;;) {
      const { versions } = await from.client.wholeVersions({ params, query: { after } }, call);
      const last = versions.at(-1);
      if (last === undefined) break;
      await take(versions);
      after = last.position;
    }
    await take([], true);
  }

  private exists(project_id: string, call: CallContext): Promise<boolean> {
    return this.filesystem
      .getProject({ params: { project_id } }, call)
      .then(() => true)
      .catch((error: unknown) => unlessMissing(error) ?? false);
  }

  /** Whether the other server has versions that this one neither has nor is going to get as changes. */
  private async lacksSome({ userId, projectId }: Project, from: GitCopy, call: CallContext): Promise<boolean> {
    const params = { project_id: projectId };
    const before = await this.waiting(userId, projectId);
    for (let after = 0; ;) {
      const { versions } = await from.client.versions({ params, query: { after } }, call);
      const last = versions.at(-1);
      if (last === undefined) return false;
      after = last.position;
      const body = { documents: versions.map(({ path, version }) => ({ path, version })) };
      const { documents } = await this.to.client.unknown({ params, body }, call);
      const lacking = documents.map(nameOfVersion).filter((name) => !before.has(name));
      if (lacking.length === 0) continue;
      const now = await this.waiting(userId, projectId);
      if (lacking.some((name) => !now.has(name))) return true;
    }
  }
}

interface Project {
  userId: string;
  projectId: string;
}

export const nameOfVersion = ({ path, version }: { path: string; version: string }) => `${version} ${path}`;
