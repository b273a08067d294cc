import { Injectable } from '@nestjs/common';
import { badRequest, notFound } from '../../../../http/problem.js';
import { sentences } from '../../../../text/sentences.js';
import type { ConversationInfo, Feedback, Turn, TurnsQuery } from '../../filesystem.contract.js';
import { ConversationStore } from './conversation-store.js';
import { TurnStore } from './turn-store.js';
import { deleted } from '../projects/project-state.js';

const MAX_TITLE_CHARS = 80;

@Injectable()
export class ConversationsService {
  constructor(
    private readonly conversations: ConversationStore,
    private readonly turns: TurnStore,
  ) {}

  /** @throws Problem 400 `invalid_time`; 410 `deleted` */
  async putTurn(userId: string, conversationId: string, projectId: string | null, turn: Turn): Promise<void> {
    const askedAt = Date.parse(turn.created_at);
    if (Number.isNaN(askedAt)) {
      throw badRequest('invalid_time', `turn.created_at: "${turn.created_at}" is not a time in ISO 8601`);
    }
    const time = new Date(askedAt).toISOString();
    const conversation = {
      ...{ conversation_id: conversationId, project_id: projectId, title: titleFrom(turn.question) },
      ...{ created_at: time, updated_at: time },
    };
    const written = await this.conversations.putTurn(userId, conversation, turn, askedAt);
    if (written === 'deleted_conversation') throw deleted(`The conversation ${conversationId}`);
    if (written === 'deleted_turn') throw deleted(`The turn ${turn.message_id}`);
    if (written === 'deleted_project') throw deleted(`The project ${projectId}`);
  }

  list(userId: string, limit: number, offset: number) {
    return this.conversations.list(userId, limit, offset);
  }

  /** @throws Problem 404 */
  async get(userId: string, conversationId: string, query: TurnsQuery) {
    const conversation = await this.find(userId, conversationId);
    const page = await this.turns.page(userId, conversationId, query);
    if (page === undefined) throw noTurn(query.until ?? query.through);
    return { ...conversation, ...page };
  }

  async findTurn(userId: string, thread: string) {
    return (await this.turns.findByThread(userId, thread)) ?? null;
  }

  deleteTurn(userId: string, conversationId: string, messageId: string): Promise<boolean> {
    return this.turns.delete(userId, conversationId, messageId);
  }

  /** @throws Problem 404 */
  async putFeedback(
    userId: string,
    conversationId: string,
    messageId: string,
    feedback: Feedback | null,
  ): Promise<void> {
    if (!(await this.turns.setFeedback(userId, conversationId, messageId, feedback))) throw noTurn(messageId);
  }

  async rename(userId: string, conversationId: string, title: string): Promise<ConversationInfo> {
    await this.find(userId, conversationId);
    if (title.trim() === '') throw badRequest('invalid_title', 'title: it is empty');
    await this.conversations.rename(userId, conversationId, title.trim());
    return this.find(userId, conversationId);
  }

  delete(userId: string, conversationId: string): Promise<boolean> {
    return this.conversations.delete(userId, conversationId);
  }

  private async find(userId: string, conversationId: string): Promise<ConversationInfo> {
    const conversation = await this.conversations.find(userId, conversationId);
    if (conversation === undefined || conversation === 'deleted') {
      throw notFound(`There is no conversation ${JSON.stringify(conversationId)}.`);
    }
    return conversation;
  }
}

const noTurn = (messageId: string | undefined) =>
  notFound(`There is no turn ${JSON.stringify(messageId)} in this conversation.`);

/** The first sentence of a question, or as much of it as fits, cut between words. */
export function titleFrom(question: string): string {
  const [first] = sentences(question.slice(0, 2000));
  const sentence = (first === undefined ? question : question.slice(first.start, first.end)).trim();
  const characters = [...sentence.replace(/\s+/g, ' ')];
  if (characters.length <= MAX_TITLE_CHARS) return characters.join('') || 'Untitled';
  const blank = characters.lastIndexOf(' ', MAX_TITLE_CHARS - 1);
  const end = blank > MAX_TITLE_CHARS / 2 ? blank : MAX_TITLE_CHARS - 1;
  return `${characters.slice(0, end).join('')}…`;
}
