import { Injectable } from '@nestjs/common';
import { Problem } from '../../http/problem.js';
import type { UserCall } from '../call/public-call.js';
import { ConversationsService, type History } from '../conversations/conversations.service.js';
import type { ChatRequest } from './chat.service.js';

/** The history that a question follows. */
export interface Before extends History {
  isNew?: boolean;
  /** The question of the replaced turn. */
  question?: string;
  parentId?: string | null | undefined;
}

/** More than fit into any prompt: the prompt itself is bounded by its tokens. */
const HISTORY_TURNS = 200;
const NO_HISTORY: Before = { projectId: null, turns: [], isNew: true };
const RETRY_AFTER_S = 5;

/** @throws Problem 403 for a conversation about another project than the API key's */
function requireOwnProject({ projectId, isNew }: Before, { key }: UserCall): void {
  const only = key?.project_id ?? null;
  if (only === null || isNew === true || projectId === undefined || projectId === only) return;
  throw new Problem({
    status: 403,
    code: 'key_scope',
    detail: `The API key opens the project ${JSON.stringify(only)} only, and this conversation is not about it.`,
  });
}

const notReadable = (messageId: string) =>
  new Problem({
    status: 503,
    code: 'conversation_unavailable',
    detail: `replaces: the turn ${JSON.stringify(messageId)} cannot be read at the moment; try again in ${RETRY_AFTER_S} s.`,
    retryAfter: RETRY_AFTER_S,
  });

@Injectable()
export class ChatHistory {
  constructor(private readonly conversations: ConversationsService) {}

  /**
   * The history that the question of a chat follows.
   * @throws Problem 403 for another project than the API key's, 404 for a conversation or turn that does not exist, 503
   * for a turn that cannot be read at the moment
   */
  async before(request: ChatRequest, call: UserCall): Promise<Before> {
    if (request.conversation_id === undefined) return NO_HISTORY;
    const before = await this.read(request, request.conversation_id, call);
    requireOwnProject(before, call);
    return before;
  }

  /** The history of the conversation before the question, and the question's place among its turns. */
  private async read(request: ChatRequest, conversationId: string, call: UserCall): Promise<Before> {
    const { replaces, parent_id, adopts } = request;
    const after = replaces ?? parent_id;
    // Where the client sends the earlier messages, the stored ones are not read.
    const last = request.prior === undefined ? HISTORY_TURNS : 1;
    try {
      const history = await this.conversations.history(conversationId, { last, after }, call);
      if (replaces === undefined) return { ...history, parentId: parent_id };
      const replaced = history.turns.at(-1);
      if (replaced?.message_id !== replaces) throw notReadable(replaces);
      const turns = history.turns.slice(0, -1);
      return { ...history, turns, question: replaced.question, parentId: turns.at(-1)?.message_id ?? null };
    } catch (error) {
      const isNew = adopts === true && error instanceof Problem && error.problem.code === 'not_found';
      // A client's own message ids are unknown here: its question follows the newest turn.
      if (isNew && typeof after === 'string')
        return this.read({ ...request, parent_id: undefined }, conversationId, call);
      if (!isNew) throw error;
      return NO_HISTORY;
    }
  }
}
