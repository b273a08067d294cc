import { Injectable } from '@nestjs/common';
import { badRequest } from '../../http/problem.js';
import type { UserCall } from '../call/public-call.js';
import type { ChatRequest } from '../chat/chat.service.js';
import { lastThread } from '../chat/client-thread.js';
import type { PriorMessage } from '../chat/prompt.js';
import { ConversationsService } from '../conversations/conversations.service.js';
import { idSchema } from '../edge/schemas.js';

interface ClientRequest {
  project: string | undefined;
  user?: string | null | undefined;
  metadata?: Record<string, unknown> | null | undefined;
  prior: readonly PriorMessage[];
}

/**
 * Finds the conversation for a request whose client sends all earlier messages each time: the one in
 * `metadata.conversation_id`, or that of the turn from which the client continues. Requests with another `user` or
 * project never share a conversation.
 */
@Injectable()
export class ClientConversations {
  constructor(private readonly conversations: ConversationsService) {}

  /** @throws Problem 400 for a malformed `metadata.conversation_id` */
  async find(
    { project, user, metadata, prior }: ClientRequest,
    call: UserCall,
  ): Promise<Pick<ChatRequest, 'conversation_id' | 'parent_id' | 'adopts' | 'clientThread'>> {
    const clientThread = JSON.stringify([project ?? null, user ?? null]);
    const named = namedIn(metadata);
    const thread = lastThread(clientThread, prior);
    const found = thread === undefined ? undefined : await this.conversations.findTurn(thread, call);
    if (named !== undefined) {
      const parent_id = found?.conversation_id === named ? found.message_id : undefined;
      return { conversation_id: named, parent_id, adopts: true, clientThread };
    }
    return { conversation_id: found?.conversation_id, parent_id: found?.message_id, clientThread };
  }
}

function namedIn(metadata: ClientRequest['metadata']): string | undefined {
  const named = metadata?.['conversation_id'];
  if (named === undefined || named === null) return undefined;
  const parsed = idSchema.safeParse(named);
  if (parsed.success) return parsed.data;
  throw badRequest('invalid_request', `metadata.conversation_id: ${parsed.error.issues[0]?.message ?? 'no id'}`);
}
