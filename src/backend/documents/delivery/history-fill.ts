import { z } from 'zod';
import { topicAt } from '../../../outbox/outbox.service.js';
import type { NewOutboxEntry, OutboxEntry } from '../../../outbox/outbox.store.js';
import type { CallContext } from '../../../resilience/policy/call-context.js';
import type { GitCopy } from '../../../downstream/git/git.copies.js';
import { HISTORY_FILL } from '../../copies/copies.module.js';

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
    private readonly to: GitCopy,
    private readonly all: readonly GitCopy[],
    /** The versions that wait for the server to be filled, and that it therefore does not have to get from another one. */
    private readonly waiting: (userId: string, projectId: string) => Promise<ReadonlySet<string>>,
  ) {}

  async deliver({ userId, projectId, payload }: OutboxEntry, call: CallContext): Promise<void> {
    const { from: url } = fillPayload.parse(payload);
    const from = this.all.find(({ endpoint }) => endpoint === url);
    const project = { userId, projectId: String(projectId) };
    if (from === undefined || !(await this.lacksSome(project, from, call))) return;
    const params = { project_id: project.projectId };
    const fill = this.to.client.fill;
    // What an earlier delivery has brought is not sent again.
    let { after } = await fill({ params, body: { versions: [], done: false } }, call);
    for (;;) {
      const { versions } = await from.client.wholeVersions({ params, query: { after } }, call);
      const last = versions.at(-1);
      if (last === undefined) break;
      await fill({ params, body: { versions, done: false } }, call);
      after = last.position;
    }
    await fill({ params, body: { versions: [], done: true } }, call);
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
