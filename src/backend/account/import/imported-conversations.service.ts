import { Injectable } from '@nestjs/common';
import { FilesystemClient } from '../../../downstream/filesystem/filesystem.client.js';
import type { StoredTurn, Turn } from '../../../downstream/filesystem/filesystem.contract.js';
import { badRequest } from '../../../http/problem.js';
import { DownstreamError } from '../../../resilience/policy/downstream-error.js';
import type { UserCall } from '../../call/public-call.js';
import { ConversationsService } from '../../conversations/conversations.service.js';
import { idSchema } from '../../edge/schemas.js';
import type { ExportedConversation } from '../format/export-format.js';
import { underFreeId } from './free-id.js';

const GONE = 410;

/** Stores the conversations of an exported account, with the branches, ratings and times of their turns. */
@Injectable()
export class ImportedConversations {
  constructor(
    private readonly filesystem: FilesystemClient,
    private readonly conversations: ConversationsService,
  ) {}

  /** Adds the turns that are not there. */
  async bring(given: ExportedConversation, call: UserCall): Promise<void> {
    const { conversation_id: id, turns } = given;
    for (const one of [id, ...turns.map(({ message_id }) => message_id)]) {
      if (!idSchema.safeParse(one).success) {
        throw badRequest('invalid_archive', `body: ${JSON.stringify(one)} is no id of a conversation or a turn`);
      }
    }
    await underFreeId({ userId: call.userId, id, kind: 'conversation' }, (conversation_id) =>
      this.add({ ...given, conversation_id }, call),
    );
  }

  private async add({ conversation_id, project_id, title, turns }: ExportedConversation, call: UserCall) {
    const params = { conversation_id };
    const known = await this.filesystem.getConversation({ params, query: { all: 'true' } }, call).catch(unlessUnknown);
    if (known === undefined) await this.conversations.requireRoom(call);
    const there = new Set(known?.turns.map(({ message_id }) => message_id));
    for (const turn of turns) {
      if (there.has(turn.message_id)) continue;
      await this.filesystem
        .putTurn({ params, body: { project_id, turn: ended(turn) } }, call)
        // A turn of a conversation that exists was deleted here by itself.
        .catch((error: unknown) => unlessDeleted(error, there.size > 0));
      const { message_id, feedback } = turn;
      if (feedback === undefined) continue;
      await this.filesystem.putFeedback({ params: { ...params, message_id }, body: { feedback } }, call);
    }
    if (known === undefined && turns.length > 0 && title !== '') {
      await this.conversations.rename(conversation_id, title, call);
    }
  }
}

/** An answer that was being written during the export stays as it was then. */
function ended({ siblings: _, feedback: __, answer, ...turn }: StoredTurn): Turn {
  if (answer.state !== 'pending') return { ...turn, answer };
  return { ...turn, answer: { ...answer, state: answer.text === '' ? 'failed' : 'partial' } };
}

function unlessUnknown(error: unknown): undefined {
  if (!(error instanceof DownstreamError && error.status === 404)) throw error;
}

function unlessDeleted(error: unknown, exists: boolean): void {
  if (!(exists && error instanceof DownstreamError && error.status === GONE)) throw error;
}
