import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { InjectConfig } from '../../../config/config.module.js';
import type { Config } from '../../../config/config.schema.js';
import { FilesystemClient } from '../../../downstream/filesystem/filesystem.client.js';
import { notFound } from '../../../http/problem.js';
import { arrivalMs } from '../../call/arrival.js';
import { change } from '../../call/change.js';
import { claimedId } from '../../call/claim.js';
import { Deletions } from '../../call/deletions.js';
import type { OwnerCall, UserCall } from '../../call/public-call.js';
import { ProjectEvents } from '../../projects/project-events.js';
import { commitOf } from '../commit-of.js';
import { DocumentSync, type HeldChange, type Planned } from '../document-sync.service.js';
import { RecognitionWatch } from '../recognition/recognition-watch.service.js';
import type { failedSchema } from '../stored.schema.js';

type Failed = z.output<typeof failedSchema>;
interface InTrash {
  path: string;
  version?: string | undefined;
}
/** The answer of the filesystem server for a document that it refused. */
interface Refused {
  path: string;
  status: number;
  code: string;
  detail: string;
}

/** Changes several documents in one call to the filesystem server, each with its update of index and history. */
@Injectable()
export class SeveralDocuments {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly filesystem: FilesystemClient,
    private readonly sync: DocumentSync,
    private readonly events: ProjectEvents,
    private readonly deletions: Deletions,
    private readonly recognition: RecognitionWatch,
  ) {}

  /** @param toTrash whether the documents can be restored with their originals for some days */
  async delete(projectId: string, given: readonly string[], toTrash: boolean, call: UserCall) {
    const paths = given.map(composed);
    const arrived_ms = arrivalMs();
    const planned = paths.map((path) => {
      const commit = { ...commitOf(call, path, randomUUID(), 'Delete'), text: null };
      return { path, commit, deleted: true };
    });
    const answers = await this.change(projectId, planned, call, async (own) => {
      const body = { paths, arrived_ms, trash: toTrash };
      const { documents } = await this.filesystem.deleteDocuments({ params: { project_id: projectId }, body }, own);
      return documents.map((one) => ('status' in one || one.deleted ? one : { ...notHere(one.path), path: one.path }));
    });
    if (answers.some((answer) => !('error' in answer))) {
      await this.deletions.deleted({ kind: 'document', userId: call.userId, projectId });
    }
    return answers.map((answer) => ('error' in answer ? answer : { path: answer.path }));
  }

  /** Sets the tags of each document. */
  async setTags(projectId: string, given: readonly { path: string; tags: string[] }[], call: UserCall) {
    const documents = given.map(({ path, tags }) => ({ path: composed(path), tags }));
    const planned = documents.map(({ path }) => ({ path, commit: null }));
    const answers = await this.change(projectId, planned, call, async (own) => {
      return (await this.filesystem.tagDocuments({ params: { project_id: projectId }, body: { documents } }, own))
        .documents;
    });
    return answers.map((answer) => {
      if ('error' in answer) return answer;
      const { path, tags = [], indexed } = answer;
      return { path, tags, indexed };
    });
  }

  /** Puts documents from the trash back to their paths. */
  async restore(projectId: string, given: readonly InTrash[], call: UserCall) {
    const arrived_ms = arrivalMs();
    const documents = given.map(({ path, version }, i) => ({
      path: composed(path),
      version: call.claim ? claimedId(call.claim, `version ${i}`) : randomUUID(),
      ...(version !== undefined && { trashed_version: version }),
    }));
    const planned = documents.map(({ path, version }) => ({ path, commit: commitOf(call, path, version, 'Restore') }));
    const answers = await this.change(projectId, planned, call, async (own) => {
      const body = { documents, arrived_ms };
      return (await this.filesystem.restoreDocuments({ params: { project_id: projectId }, body }, own)).documents;
    });
    this.recognition.expect();
    return answers.map((answer) => {
      if ('error' in answer) return answer;
      const { path, version, bytes, indexed, warnings } = answer;
      return { path, version, bytes, indexed, ...(warnings && { warnings }) };
    });
  }

  removeTrashed(projectId: string, given: readonly InTrash[], call: UserCall) {
    const documents = given.map(({ path, version }) => ({ path: composed(path), ...(version && { version }) }));
    return this.filesystem.removeTrashed({ params: { project_id: projectId }, body: { documents } }, call);
  }

  /** Makes the changes by `send`, queues the updates of index and history, and waits a bounded time for the index. */
  private async change<T extends { path: string }>(
    projectId: string,
    planned: readonly Planned[],
    call: UserCall,
    send: (own: OwnerCall) => Promise<(T | Refused)[]>,
  ): Promise<((T & { indexed: 'done' | 'queued' }) | Failed)[]> {
    const { userId } = call;
    const held = await this.sync.holdAll({ userId, projectId }, planned);
    const answers = await change(
      // A disconnect of the caller does not cancel the changes.
      { ...call, signal: undefined },
      send,
      (nothingDone) => this.sync.abandonAll(held, nothingDone),
    );
    if (answers.some((answer) => !isRefused(answer))) this.events.changed(userId, projectId);
    const indexed = await this.sync.releaseAll(
      answers.map((answer, i) => ({
        held: held[i] as HeldChange,
        outcome: isRefused(answer) ? 'refused' : 'changed',
        waitMs: this.config.documents.index_wait_ms,
      })),
    );
    return Promise.all(
      answers.map(async (answer, i) => {
        if (isRefused(answer)) return { path: answer.path, error: { code: answer.code, detail: answer.detail } };
        return { ...answer, indexed: (await indexed[i]) === true ? ('done' as const) : ('queued' as const) };
      }),
    );
  }
}

const composed = (path: string) => path.normalize('NFC');
const notHere = (path: string) =>
  notFound(`path: there is no document ${JSON.stringify(path)} in this project.`).problem;
const isRefused = (answer: { path: string }): answer is Refused => 'status' in answer;
