import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { FilesystemClient } from '../../downstream/filesystem/filesystem.client.js';
import type { Turn } from '../../downstream/filesystem/filesystem.contract.js';
import { notFound, Problem } from '../../http/problem.js';
import { DownstreamError } from '../../resilience/policy/downstream-error.js';
import { withoutRetries } from '../call/waiting.js';
import type { UserCall } from '../call/public-call.js';
import { Deletions } from '../call/deletions.js';
import { Turns } from './turns.service.js';

export interface History {
  /** null: none; undefined: nobody can say. */
  projectId: string | null | undefined;
  /** Oldest first. */
  turns: Turn[];
}

const COUNTED_MS = 60_000;
/** How much of the time that a chat has for its passages may go to what was said before. */
const HISTORY_SHARE = 0.5;

@Injectable()
export class ConversationsService {
  /** How many conversations a user has, for a while. */
  private readonly counts = new LRUCache<string, number>({ max: 50_000, ttl: COUNTED_MS });
  /** The projects of conversations that were seen of late: a chat goes on in them while filesystem is away. */
  private readonly projects = new LRUCache<string, { id: string | null }>({ max: 50_000 });

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly filesystem: FilesystemClient,
    private readonly turns: Turns,
    private readonly deletions: Deletions,
  ) {}

  list(page: { limit: number; offset: number }, call: UserCall) {
    return this.filesystem.listConversations({ query: page }, call);
  }

  /** The whole conversation, turns that are still on their way to the filesystem server included. */
  async get(conversationId: string, call: UserCall) {
    const params = { conversation_id: conversationId };
    const [stored, pending] = await Promise.all([
      this.filesystem.getConversation({ params, query: {} }, call).catch(missing),
      this.turns.pending(call.userId, conversationId),
    ]);
    const first = pending[0];
    if (stored === undefined && first === undefined)
      throw notFound(`conversation_id: you have no conversation ${JSON.stringify(conversationId)}.`);
    const conversation = stored ?? {
      conversation_id: conversationId,
      project_id: first?.project_id ?? null,
      title: first?.turn.question.slice(0, 80) ?? '',
      created_at: first?.turn.created_at ?? '',
      updated_at: first?.turn.created_at ?? '',
      turns: [],
    };
    return {
      ...conversation,
      turns: joined(
        conversation.turns,
        pending.map(({ turn }) => turn),
      ),
    };
  }

  /** @throws Problem 507 `quota_exceeded` where a user has as many conversations as one may have; nobody can say: there is room */
  async requireRoom(call: UserCall): Promise<void> {
    const most = this.config.quotas.conversations;
    const known = this.counts.get(call.userId) ?? (await this.count(call));
    this.counts.set(call.userId, known + 1);
    if (known < most) return;
    throw new Problem({
      status: 507,
      code: 'quota_exceeded',
      detail: `You have ${known} conversations, and ${most} are the most one user may have (quotas.conversations); delete some of them.`,
    });
  }

  private async count(call: UserCall): Promise<number> {
    try {
      const query = { limit: 1, offset: 0 };
      return (await withoutRetries('filesystem', call, (own) => this.filesystem.listConversations({ query }, own)))
        .total;
    } catch (error) {
      if (!(error instanceof DownstreamError) || error.reason === 'cancelled') throw error;
      return 0;
    }
  }

  rename(conversationId: string, title: string, call: UserCall) {
    return this.filesystem.renameConversation({ params: { conversation_id: conversationId }, body: { title } }, call);
  }

  async delete(conversationId: string, call: UserCall): Promise<void> {
    const { deleted } = await this.filesystem.deleteConversation({ params: { conversation_id: conversationId } }, call);
    const pending = await this.turns.pending(call.userId, conversationId);
    this.projects.delete(nameOf(call.userId, conversationId));
    await this.turns.forget(call.userId, { key: conversationId });
    this.deletions.deleted({ kind: 'conversation', userId: call.userId, conversationId });
    if (!deleted && pending.length === 0)
      throw notFound(`conversation_id: you have no conversation ${JSON.stringify(conversationId)}.`);
  }

  /**
   * What was said so far, for a chat that goes on. While filesystem is away: what has not reached it yet.
   * @throws Problem 404 when there is no such conversation of the asker's
   */
  async history(conversationId: string, last: number, call: UserCall): Promise<History> {
    const pending = await this.turns.pending(call.userId, conversationId);
    try {
      const params = { conversation_id: conversationId };
      const stored = await withoutRetries(
        'filesystem',
        call,
        (impatient) => this.filesystem.getConversation({ params, query: { last } }, impatient),
        HISTORY_SHARE * this.config.chat.context_budget_ms,
      );
      this.remember(call.userId, conversationId, stored.project_id);
      return {
        projectId: stored.project_id,
        turns: joined(
          stored.turns,
          pending.map(({ turn }) => turn),
        ),
      };
    } catch (error) {
      const unknown = error instanceof DownstreamError && error.status === 404;
      if (unknown && pending.length === 0)
        throw notFound(`conversation_id: you have no conversation ${JSON.stringify(conversationId)}.`);
      if (!unknown) call.degradation.add('filesystem', error, pending.length > 0 ? 'outbox' : 'none');
      const named = pending.find(({ project_id }) => project_id !== null)?.project_id;
      const projectId = named ?? this.projects.get(nameOf(call.userId, conversationId))?.id;
      return { projectId: unknown ? (projectId ?? null) : projectId, turns: pending.map(({ turn }) => turn) };
    }
  }

  /** Whether the user has a conversation of this id, turns on their way included. */
  async exists(conversationId: string, call: UserCall): Promise<boolean> {
    if ((await this.turns.pending(call.userId, conversationId)).length > 0) return true;
    const params = { conversation_id: conversationId };
    return (await this.filesystem.getConversation({ params, query: { last: 1 } }, call).catch(missing)) !== undefined;
  }

  /** A conversation's project is the first that one of its turns had. */
  remember(userId: string, conversationId: string, projectId: string | null): void {
    const name = nameOf(userId, conversationId);
    if ((this.projects.get(name)?.id ?? null) === null) this.projects.set(name, { id: projectId });
  }
}

const nameOf = (userId: string, conversationId: string) => `${userId}/${conversationId}`;

function missing(error: unknown): undefined {
  if (error instanceof DownstreamError && error.status === 404) return undefined;
  throw error;
}

/** A turn that is both stored and pending is told once, in its newer state. */
function joined(stored: readonly Turn[], pending: readonly Turn[]): Turn[] {
  const newer = new Map(pending.map((turn) => [turn.message_id, turn]));
  const kept = stored.filter((turn) => turn.answer.state === 'complete' || !newer.has(turn.message_id));
  const known = new Set(kept.map((turn) => turn.message_id));
  return [...kept, ...pending.filter((turn) => !known.has(turn.message_id))];
}
