import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { FilesystemClient } from '../../../downstream/filesystem/filesystem.client.js';
import { arrivalMs } from '../../call/arrival.js';
import { change } from '../../call/change.js';
import { claimedId } from '../../call/claim.js';
import type { UserCall } from '../../call/public-call.js';
import { ProjectEvents } from '../../projects/project-events.js';
import { DocumentSync } from '../document-sync.service.js';
import { LinkUpdates } from './link-updates.service.js';
import { RecognitionWatch } from '../recognition/recognition-watch.service.js';

/** Moves and copies documents and folders: the files in one transaction, then index and history through the outbox. */
@Injectable()
export class Moving {
  constructor(
    private readonly filesystem: FilesystemClient,
    private readonly sync: DocumentSync,
    private readonly events: ProjectEvents,
    private readonly recognition: RecognitionWatch,
    private readonly links: LinkUpdates,
  ) {}

  /** Moves, and changes the links of other documents so that they point to the new paths. */
  async moveWithLinks(projectId: string, paths: { from: string; to: string }, call: UserCall) {
    await this.links.check(projectId, call);
    const moved = await this.move(projectId, { ...paths, copy: false }, call);
    const versions = await this.links.update(projectId, moved, call);
    return {
      moved: moved.map((document) => ({ ...document, version: versions.get(document.to) ?? document.version })),
      links_updated: [...versions.keys()].sort(),
    };
  }

  /** @param from a document, or a folder where it ends with `/`, as `to` */
  async move(projectId: string, { from, to, copy }: { from: string; to: string; copy: boolean }, call: UserCall) {
    const { userId } = call;
    const version = call.claim ? claimedId(call.claim, 'version') : randomUUID();
    const move = { from, to, version, copy };
    const arrived_ms = arrivalMs();
    const held = await this.sync.holdMove({ userId, projectId }, move, {
      author: { name: call.user.email, email: call.user.email },
      message: `${copy ? 'Copy' : 'Move'} ${from} to ${to}`,
      committed_at: new Date().toISOString(),
    });
    const { moved } = await change(
      // A disconnect of the caller does not cancel the move.
      { ...call, signal: undefined },
      (own) => this.filesystem.moveDocuments({ params: { project_id: projectId }, body: { ...move, arrived_ms } }, own),
      (nothingDone) => this.sync.abandonMove(held, nothingDone),
    );
    this.events.changed(userId, projectId);
    this.recognition.expect();
    await this.sync.releaseMove(held, moved);
    return moved.map((document) => ({ from: document.from, to: document.to, version: document.version }));
  }
}
