import { Injectable } from '@nestjs/common';
import { badRequest, notFound } from '../../../../http/problem.js';
import { sentences } from '../../../../text/sentences.js';
import type { ConversationInfo, Feedback, Turn, TurnsQuery } from '../../filesystem.contract.js';
import { ConversationStore } from './conversation-store.js';
import { TurnStore } from './turn-store.js';
import { deleted, ProjectsService } from '../projects/projects.service.js';

const MAX_TITLE_CHARS = 80;

@Injectable()
export class ConversationsService {
  constructor(
    private readonly projects: ProjectsService,
    private readonly conversations: ConversationStore,
    private readonly turns: TurnStore,
  ) {}

  /** @throws Problem 400 `invalid_time`; 410 `deleted` */
  putTurn(userId: string, conversationId: string, projectId: string | null, turn: Turn): void {
    const askedAt = Date.parse(turn.created_at);
    if (Number.isNaN(askedAt)) {
      throw badRequest('invalid_time', `turn.created_at: "${turn.created_at}" is not a time in ISO 8601`);
    }
    const known = this.conversations.find(userId, conversationId);
    if (known === 'deleted') throw deleted(`The conversation ${conversationId}`);
    if (this.turns.isDeleted(userId, conversationId, turn.message_id)) throw deleted(`The turn ${turn.message_id}`);
    // An answered turn is stored even if its project id is unknown.
    const project = projectId !== null && this.projects.isThere({ userId, projectId }) ? projectId : null;
    const time = new Date(askedAt).toISOString();
    const conversation = {
      ...{ conversation_id: conversationId, project_id: project, title: titleFrom(turn.question) },
      ...{ created_at: time, updated_at: time },
    };
    this.conversations.putTurn(userId, conversation, turn, askedAt);
  }

  list(userId: string, limit: number, offset: number) {
    return this.conversations.list(userId, limit, offset);
  }

  /** @throws Problem 404 */
  get(userId: string, conversationId: string, query: TurnsQuery) {
    const conversation = this.find(userId, conversationId);
    const page = this.turns.page(userId, conversationId, query);
    if (page === undefined) throw noTurn(query.until ?? query.through);
    return { ...conversation, ...page };
  }

  findTurn(userId: string, thread: string) {
    return this.turns.findByThread(userId, thread) ?? null;
  }

  deleteTurn(userId: string, conversationId: string, messageId: string): boolean {
    return this.turns.delete(userId, conversationId, messageId);
  }

  /** @throws Problem 404 */
  putFeedback(userId: string, conversationId: string, messageId: string, feedback: Feedback | null): void {
    if (!this.turns.setFeedback(userId, conversationId, messageId, feedback)) throw noTurn(messageId);
  }

  rename(userId: string, conversationId: string, title: string): ConversationInfo {
    this.find(userId, conversationId);
    if (title.trim() === '') throw badRequest('invalid_title', 'title: it is empty');
    this.conversations.rename(userId, conversationId, title.trim());
    return this.find(userId, conversationId);
  }

  delete(userId: string, conversationId: string): boolean {
    return this.conversations.delete(userId, conversationId);
  }

  private find(userId: string, conversationId: string): ConversationInfo {
    const conversation = this.conversations.find(userId, conversationId);
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
