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
  putTurn(@CallerOf() { userId }: Caller, @Input() { params, body }: Request<'putTurn'>): Answer<'putTurn'> {
    this.conversations.putTurn(userId, params.conversation_id, body.project_id, body.turn);
    return { stored: true };
  }

  @Implements(contract.findTurn)
  findTurn(@CallerOf() { userId }: Caller, @Input() { query }: Request<'findTurn'>): Answer<'findTurn'> {
    return { found: this.conversations.findTurn(userId, query.thread) };
  }

  @Implements(contract.deleteTurn)
  deleteTurn(@CallerOf() { userId }: Caller, @Input() { params }: Request<'deleteTurn'>): Answer<'deleteTurn'> {
    return { deleted: this.conversations.deleteTurn(userId, params.conversation_id, params.message_id) };
  }

  @Implements(contract.putFeedback)
  putFeedback(
    @CallerOf() { userId }: Caller,
    @Input() { params, body }: Request<'putFeedback'>,
  ): Answer<'putFeedback'> {
    this.conversations.putFeedback(userId, params.conversation_id, params.message_id, body.feedback);
    return { stored: true };
  }

  @Implements(contract.listConversations)
  list(@CallerOf() { userId }: Caller, @Input() { query }: Request<'listConversations'>): Answer<'listConversations'> {
    return this.conversations.list(userId, query.limit, query.offset);
  }

  @Implements(contract.getConversation)
  get(
    @CallerOf() { userId }: Caller,
    @Input() { params, query }: Request<'getConversation'>,
  ): Answer<'getConversation'> {
    return this.conversations.get(userId, params.conversation_id, query);
  }

  @Implements(contract.renameConversation)
  rename(
    @CallerOf() { userId }: Caller,
    @Input() { params, body }: Request<'renameConversation'>,
  ): Answer<'renameConversation'> {
    return this.conversations.rename(userId, params.conversation_id, body.title);
  }

  @Implements(contract.deleteConversation)
  delete(
    @CallerOf() { userId }: Caller,
    @Input() { params }: Request<'deleteConversation'>,
  ): Answer<'deleteConversation'> {
    return { deleted: this.conversations.delete(userId, params.conversation_id) };
  }
}
