import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { FilesystemClient } from '../../../downstream/filesystem/filesystem.client.js';
import { arrivalMs } from '../../call/arrival.js';
import { change } from '../../call/change.js';
import { claimedId } from '../../call/claim.js';
import type { OwnerCall, UserCall } from '../../call/public-call.js';
import { ProjectEvents } from '../../projects/project-events.js';
import { DocumentSync } from '../document-sync.service.js';
import { LinkUpdates } from './link-updates.service.js';
import type { Move, MovedDocument } from './move-payload.js';
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
    const move = { from, to, version: versionFor(call), copy };
    const arrived_ms = arrivalMs();
    const message = `${copy ? 'Copy' : 'Move'} ${from} to ${to}`;
    const { moved } = await this.held(projectId, move, message, call, async (own) => {
      const body = { ...move, arrived_ms };
      return this.filesystem.moveDocuments({ params: { project_id: projectId }, body }, own);
    });
    return moved.map((document) => ({ from: document.from, to: document.to, version: document.version }));
  }

  /**
   * Moves several single documents, in one commit. One that can not be moved does not stop the others.
   * @returns the answers in the order of `moves`
   */
  async moveEach(projectId: string, moves: readonly Paths[], call: UserCall): Promise<MovedItem[]> {
    const planned = moves.map(({ from, to }) => ({ from, to }));
    const version = versionFor(call);
    const arrived_ms = arrivalMs();
    const move = { from: '', to: '', version, copy: false, planned };
    const { documents } = await this.held(projectId, move, messageOf(planned), call, async (own) => {
      const body = { version, arrived_ms, moves: planned };
      const { documents } = await this.filesystem.moveEach({ params: { project_id: projectId }, body }, own);
      return { documents, moved: documents.filter((document) => 'version' in document) };
    });
    return documents.map((document, i) => {
      if ('version' in document) return { from: document.from, to: document.to, version: document.version };
      return { ...(planned[i] as Paths), error: { code: document.code, detail: document.detail } };
    });
  }

  /** {@link moveEach}, and changes the links of other documents so that they point to the new paths. */
  async moveEachWithLinks(
    projectId: string,
    moves: readonly Paths[],
    call: UserCall,
  ): Promise<{ documents: MovedItem[]; links_updated: string[] }> {
    await this.links.check(projectId, call);
    const items = await this.moveEach(projectId, moves, call);
    const moved = items.filter((item) => 'version' in item);
    const versions = await this.links.update(projectId, moved, call);
    return {
      documents: items.map((item) =>
        'version' in item ? { ...item, version: versions.get(item.to) ?? item.version } : item,
      ),
      links_updated: [...versions.keys()].sort(),
    };
  }

  /** Moves documents by `send`, and queues the updates of index and history. */
  private async held<T extends { moved: MovedDocument[] }>(
    projectId: string,
    move: Move,
    message: string,
    call: UserCall,
    send: (own: OwnerCall) => Promise<T>,
  ): Promise<T> {
    const { userId } = call;
    const held = await this.sync.holdMove({ userId, projectId }, move, {
      author: { name: call.user.email, email: call.user.email },
      message,
      committed_at: new Date().toISOString(),
    });
    const answer = await change(
      // A disconnect of the caller does not cancel the move.
      { ...call, signal: undefined },
      send,
      (nothingDone) => this.sync.abandonMove(held, nothingDone),
    );
    if (answer.moved.length === 0) {
      await this.sync.abandonMove(held, true);
      return answer;
    }
    this.events.changed(userId, projectId);
    this.recognition.expect();
    await this.sync.releaseMove({ userId, projectId }, held, answer.moved);
    return answer;
  }
}

export interface Paths {
  from: string;
  to: string;
}
export type MovedItem = (Paths & { version: string }) | (Paths & { error: { code: string; detail: string } });

const versionFor = ({ claim }: UserCall) => (claim ? claimedId(claim, 'version') : randomUUID());

/** Names the folder where all documents go to the same one. */
function messageOf(moves: readonly Paths[]): string {
  const folders = new Set(moves.map(({ to }) => to.slice(0, to.lastIndexOf('/') + 1)));
  const [folder] = folders;
  if (moves.length === 1) return `Move ${moves[0]?.from} to ${moves[0]?.to}`;
  const where = folders.size > 1 ? '' : folder === '' ? ' to the top' : ` to ${folder}`;
  return `Move ${moves.length} documents${where}`;
}
