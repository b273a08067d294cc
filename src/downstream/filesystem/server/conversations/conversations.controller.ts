import { Controller } from '@nestjs/common';
import { type Caller, CallerOf } from '../../../../http/caller.js';
import { Implements, Input } from '../../../../http/implements.decorator.js';
import type { EndpointOutput, EndpointRequest } from '../../../../contract/endpoint.js';
import { filesystemContract as contract } from '../../filesystem.contract.js';
import { ConversationsService } from './conversations.service.js';

type Request<K extends keyof typeof contract> = EndpointRequest<(typeof contract)[K]>;
type Answer<K extends keyof typeof contract> = EndpointOutput<(typeof contract)[K]>;

@Controller()
export class ConversationsController {
  constructor(private readonly conversations: ConversationsService) {}

  @Implements(contract.putTurn)
  async putTurn(
    @CallerOf() { userId }: Caller,
    @Input() { params, body }: Request<'putTurn'>,
  ): Promise<Answer<'putTurn'>> {
    await this.conversations.putTurn(userId, params.conversation_id, body.project_id, body.turn);
    return { stored: true };
  }

  @Implements(contract.findTurn)
  async findTurn(@CallerOf() { userId }: Caller, @Input() { query }: Request<'findTurn'>): Promise<Answer<'findTurn'>> {
    return { found: await this.conversations.findTurn(userId, query.thread) };
  }

  @Implements(contract.deleteTurn)
  async deleteTurn(
    @CallerOf() { userId }: Caller,
    @Input() { params }: Request<'deleteTurn'>,
  ): Promise<Answer<'deleteTurn'>> {
    return { deleted: await this.conversations.deleteTurn(userId, params.conversation_id, params.message_id) };
  }

  @Implements(contract.putFeedback)
  async putFeedback(
    @CallerOf() { userId }: Caller,
    @Input() { params, body }: Request<'putFeedback'>,
  ): Promise<Answer<'putFeedback'>> {
    await this.conversations.putFeedback(userId, params.conversation_id, params.message_id, body.feedback);
    return { stored: true };
  }

  @Implements(contract.listConversations)
  list(
    @CallerOf() { userId }: Caller,
    @Input() { query }: Request<'listConversations'>,
  ): Promise<Answer<'listConversations'>> {
    return this.conversations.list(userId, query.limit, query.offset);
  }

  @Implements(contract.getConversation)
  get(
    @CallerOf() { userId }: Caller,
    @Input() { params, query }: Request<'getConversation'>,
  ): Promise<Answer<'getConversation'>> {
    return this.conversations.get(userId, params.conversation_id, query);
  }

  @Implements(contract.renameConversation)
  rename(
    @CallerOf() { userId }: Caller,
    @Input() { params, body }: Request<'renameConversation'>,
  ): Promise<Answer<'renameConversation'>> {
    return this.conversations.rename(userId, params.conversation_id, body.title);
  }

  @Implements(contract.deleteConversation)
  async delete(
    @CallerOf() { userId }: Caller,
    @Input() { params }: Request<'deleteConversation'>,
  ): Promise<Answer<'deleteConversation'>> {
    return { deleted: await this.conversations.delete(userId, params.conversation_id) };
  }
}
