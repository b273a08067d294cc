import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { FilesystemClient } from '../../downstream/filesystem/filesystem.client.js';
import { branchOf, placesOf, type Span, spanOf } from '../../contract/branch.js';
import type { StoredTurn, Turn } from '../../downstream/filesystem/filesystem.contract.js';
import { Problem } from '../../http/problem.js';
import { DownstreamError } from '../../resilience/policy/downstream-error.js';
import { withoutRetries } from '../call/waiting.js';
import type { OwnerCall, UserCall } from '../call/public-call.js';
import { Deletions } from '../call/deletions.js';
import { Turns } from './turns.service.js';

export interface History {
  /** null: no project; undefined: not known at the moment. */
  projectId: string | null | undefined;
  /** Oldest first. */
  turns: Turn[];
}

const COUNTED_MS = 60_000;
/** The share of the time for a chat's passages that reading its history may take. */
const HISTORY_SHARE = 0.5;

@Injectable()
export class ConversationsService {
  /** The cached number of each user's conversations. */
  private readonly counts = new LRUCache<string, number>({ max: 50_000, ttl: COUNTED_MS });
  /** The projects of recently used conversations, so that their chats can continue while filesystem is unavailable. */
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

  /** Turns of a conversation, including those not yet delivered to the filesystem server. @throws Problem 404 */
  async get(conversationId: string, query: TurnsChoice, call: UserCall) {
    const params = { conversation_id: conversationId };
    const pending = await this.turns.pending(call.userId, conversationId);
    const { all, until, through, ...span } = query;
    const named = until ?? through;
    const choice = { until, through, ...(all ? { all: 'true' } : {}) };
    // With undelivered turns, the place of each in its branch is known only when all turns are read.
    const asked = pending.length === 0 ? { ...choice, ...span } : { all: 'true' };
    const stored = await this.filesystem.getConversation({ params, query: asked }, call).catch(missing);
    const first = pending[0];
    if (first === undefined) {
      if (stored !== undefined) return stored;
      throw await this.notFound(conversationId, named, call);
    }
    const conversation = stored ?? {
      conversation_id: conversationId,
      project_id: first.project_id,
      title: first.turn.question.slice(0, 80),
      created_at: first.turn.created_at,
      updated_at: first.turn.created_at,
      turns: [],
    };
    const known = placed(
      joined(
        conversation.turns,
        pending.map(({ turn }) => turn),
      ),
    );
    if (named !== undefined && !known.some(({ message_id }) => message_id === named)) throw noTurn(named);
    return { ...conversation, ...spanOf(all ? known : branchOf(known, { until, through }), span) };
  }

  /**
   * @throws Problem 507 `quota_exceeded` where the user has the maximum number of conversations; an unknown number
   * counts as below it
   */
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

  async delete(conversationId: string, call: OwnerCall): Promise<void> {
    const { deleted } = await this.filesystem.deleteConversation({ params: { conversation_id: conversationId } }, call);
    const pending = await this.turns.pending(call.userId, conversationId);
    this.projects.delete(nameOf(call.userId, conversationId));
    await this.turns.forget(call.userId, { keys: [conversationId] });
    await this.deletions.deleted({ kind: 'conversation', userId: call.userId, conversationId });
    if (!deleted && pending.length === 0) throw noConversation(conversationId);
  }

  /** @throws Problem 404 */
  async deleteTurn(conversationId: string, messageId: string, call: UserCall): Promise<void> {
    const params = { conversation_id: conversationId, message_id: messageId };
    const { deleted } = await this.filesystem.deleteTurn({ params }, call);
    const wasPending = await this.turns.forgetTurn(call.userId, conversationId, messageId);
    await this.deletions.deleted({ kind: 'turn', userId: call.userId, conversationId, messageId });
    if (!deleted && !wasPending) throw noTurn(messageId);
  }

  /** @throws Problem 404; 409 `turn_under_way` */
  async rate(conversationId: string, messageId: string, given: Rating | null, call: UserCall): Promise<void> {
    const params = { conversation_id: conversationId, message_id: messageId };
    const feedback = given && { ...given, given_at: new Date().toISOString() };
    try {
      await this.filesystem.putFeedback({ params, body: { feedback } }, call);
    } catch (error) {
      if (!(error instanceof DownstreamError) || error.status !== 404) throw error;
      const pending = await this.turns.pending(call.userId, conversationId);
      if (!pending.some(({ turn }) => turn.message_id === messageId)) throw noTurn(messageId);
      throw new Problem({
        status: 409,
        code: 'turn_under_way',
        detail: `message_id: the turn ${JSON.stringify(messageId)} is not stored yet; give your feedback when its answer is complete.`,
      });
    }
  }

  /**
   * The history for a chat that continues: the newest `last` turns of the branch that ends with the turn `after` (null:
   * an empty history), or with the newest turn. While filesystem is unavailable: the turns that are not delivered yet.
   * @throws Problem 404 where the user has no such conversation, or the conversation no such turn
   */
  async history(
    conversationId: string,
    { last, after }: { last: number; after?: string | null | undefined },
    call: UserCall,
  ): Promise<History> {
    const pending = await this.turns.pending(call.userId, conversationId);
    const underWay = pending.map(({ turn }) => turn);
    const until = typeof after === 'string' ? after : undefined;
    const isUnderWay = underWay.some(({ message_id }) => message_id === until);
    const branch = (turns: readonly Turn[]) => (after === null ? [] : branchOf(turns, { until }));
    try {
      const params = { conversation_id: conversationId };
      const query = until === undefined || isUnderWay ? { last, all: 'true' } : { last, until };
      const stored = await withoutRetries(
        'filesystem',
        call,
        (impatient) => this.filesystem.getConversation({ params, query }, impatient),
        HISTORY_SHARE * this.config.chat.context_budget_ms,
      );
      this.remember(call.userId, conversationId, stored.project_id);
      return { projectId: stored.project_id, turns: branch(joined(stored.turns, underWay)) };
    } catch (error) {
      const unknown = error instanceof DownstreamError && error.status === 404;
      if (unknown && pending.length === 0) throw await this.notFound(conversationId, until, call);
      if (!unknown) call.degradation.add('filesystem', error, pending.length > 0 ? 'outbox' : 'none');
      const named = pending.find(({ project_id }) => project_id !== null)?.project_id;
      const projectId = named ?? this.projects.get(nameOf(call.userId, conversationId))?.id;
      return { projectId: unknown ? (projectId ?? null) : projectId, turns: branch(underWay) };
    }
  }

  /**
   * The turn that a client without a conversation id continues from. While filesystem is unavailable: among those not
   * delivered yet.
   */
  async findTurn(thread: string, call: UserCall): Promise<{ conversation_id: string; message_id: string } | undefined> {
    const underWay = (await this.turns.pendingInThread(call.userId, thread)).at(-1);
    if (underWay !== undefined) {
      return { conversation_id: underWay.conversation_id, message_id: underWay.turn.message_id };
    }
    try {
      const { found } = await withoutRetries(
        'filesystem',
        call,
        (impatient) => this.filesystem.findTurn({ query: { thread } }, impatient),
        HISTORY_SHARE * this.config.chat.context_budget_ms,
      );
      return found ?? undefined;
    } catch (error) {
      call.degradation.add('filesystem', error, 'none');
      return undefined;
    }
  }

  private async notFound(conversationId: string, turn: string | undefined, call: UserCall): Promise<Problem> {
    if (turn === undefined || !(await this.exists(conversationId, call))) return noConversation(conversationId);
    return noTurn(turn);
  }

  /** Whether the user has a conversation with this id, including undelivered turns. */
  async exists(conversationId: string, call: UserCall): Promise<boolean> {
    if ((await this.turns.pending(call.userId, conversationId)).length > 0) return true;
    const params = { conversation_id: conversationId };
    return (await this.filesystem.getConversation({ params, query: { last: 1 } }, call).catch(missing)) !== undefined;
  }

  /** Records the conversation's project, which is the first that one of its turns had. */
  remember(userId: string, conversationId: string, projectId: string | null): void {
    const name = nameOf(userId, conversationId);
    if ((this.projects.get(name)?.id ?? null) === null) this.projects.set(name, { id: projectId });
  }
}

/** Selects turns: those of the branch through or up to a turn, or `all`; and the range of them. */
export interface TurnsChoice extends Span {
  all?: boolean | undefined;
  until?: string | undefined;
  through?: string | undefined;
}

export interface Rating {
  rating: 'up' | 'down';
  note: string;
}

const nameOf = (userId: string, conversationId: string) => `${userId}/${conversationId}`;

const noConversation = (id: string) => absent('conversation_id', `you have no conversation ${JSON.stringify(id)}`);
const noTurn = (id: string) => absent('message_id', `there is no turn ${JSON.stringify(id)} in this conversation`);

function absent(path: string, fault: string): Problem {
  const detail = `${path}: ${fault}.`;
  return new Problem({ status: 404, code: 'not_found', detail, errors: [{ path, detail }] });
}

function missing(error: unknown): undefined {
  if (error instanceof DownstreamError && error.status === 404) return undefined;
  throw error;
}

/** Merges stored and pending turns. A turn that is both is taken in its newer state. */
function joined(stored: readonly Turn[], pending: readonly Turn[]): Turn[] {
  const newer = new Map(pending.map((turn) => [turn.message_id, turn]));
  const kept = stored.filter((turn) => turn.answer.state === 'complete' || !newer.has(turn.message_id));
  const known = new Set(kept.map((turn) => turn.message_id));
  return [...kept, ...pending.filter((turn) => !known.has(turn.message_id))];
}

/** Adds to each turn its place among the others. */
function placed(turns: readonly Turn[]): StoredTurn[] {
  const places = placesOf(turns);
  return turns.map((turn) => ({ ...turn, ...(places.get(turn.message_id) ?? { parent_id: null }) }));
}
