import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { badRequest } from '../../http/problem.js';
import { DownstreamError } from '../../resilience/policy/downstream-error.js';
import { Credits } from '../billing/credits.service.js';
import { ConversationsService, type History } from '../conversations/conversations.service.js';
import { ChatHistory } from './chat-history.service.js';
import { Turns } from '../conversations/turns.service.js';
import { claimedId } from '../call/claim.js';
import { waitAtMost } from '../call/waiting.js';
import { ProjectAccess } from '../projects/project-access.service.js';
import { ChatPassages } from '../search/chat-passages.service.js';
import { type Retrieved, UNAVAILABLE } from '../search/retrieval.service.js';
import type { UserCall } from '../call/public-call.js';
import { Answering } from './answering.service.js';
import { type AnswerOptions, ChatRun } from './chat-run.js';
import type { MessageStream } from './message-stream.js';
import type { Scope } from '../../contract/scope.contract.js';
import { MessageStreams } from './message-streams.service.js';
import { messagesOf, type PriorMessage, searchQuery } from './prompt.js';

export interface ChatRequest {
  /** Undefined: the question of the replaced turn again. */
  message?: string | undefined;
  project_id?: string | undefined;
  conversation_id?: string | undefined;
  /** The documents that are searched; undefined: all of the project. */
  scope?: Scope | undefined;
  /** The turn of the conversation that the question follows; null: none; undefined: the newest. */
  parent_id?: string | null | undefined;
  /** The turn of the conversation that this one replaces; both are kept, each in its own branch. */
  replaces?: string | undefined;
  /** The model that is called first; the others take over if it fails. */
  model?: string | undefined;
  /** The earlier messages, from a client that keeps its conversations itself; oldest first. */
  prior?: PriorMessage[] | undefined;
  /** Earlier messages that are added to those of the stored conversation. */
  priorToAdd?: PriorMessage[] | undefined;
  /** Whether a conversation that does not exist is created under the id that the client chose. */
  adopts?: boolean | undefined;
  options?: AnswerOptions | undefined;
  /** For a client that names no conversation: the key by which the turn is found again, see `client-thread.ts`. */
  clientThread?: string | undefined;
  /**
   * How long the answer goes on without a reader, in milliseconds. Without it the configured time of our own stream.
   */
  detachedMs?: number | undefined;
}

/** The steps of a chat: record the question, reserve credits, retrieve passages, answer, save. */
@Injectable()
export class ChatService {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly access: ProjectAccess,
    private readonly conversations: ConversationsService,
    private readonly history: ChatHistory,
    private readonly turns: Turns,
    private readonly credits: Credits,
    private readonly passages: ChatPassages,
    private readonly streams: MessageStreams,
    private readonly answering: Answering,
    private readonly log: PinoLogger,
  ) {}

  /**
   * Returns as soon as it is certain that there will be an answer. The answer is then written whether or not it is
   * read.
   * @throws Problem 400 for a model that is not configured or cannot be done without, 404 for a project, conversation or turn of another user,
   * 429 for too many answers at a time, 507 for too many conversations
   * @throws DownstreamError `rejected` with status 402 where the credits are used up
   */
  async begin(request: ChatRequest, call: UserCall): Promise<MessageStream> {
    const begunMs = performance.now();
    this.answering.requireModel(request.model, request.options?.sampling);
    const checking =
      request.project_id === undefined ? Promise.resolve(undefined) : this.access.require(request.project_id, call);
    checking.catch(() => undefined);
    const history = await this.history.before(request, call);
    const question = request.message ?? history.question;
    if (question === undefined) throw badRequest('invalid_request', 'message: a message is needed');
    const prior = request.prior ?? [...messagesOf(history.turns), ...(request.priorToAdd ?? [])];
    const projectId = request.project_id ?? history.projectId;
    const knowing = this.know(request, projectId, checking, call);
    const newId = (what: string) => (call.claim ? claimedId(call.claim, what) : randomUUID());
    const messageId = newId('message');
    const conversationId = request.conversation_id ?? newId('conversation');
    const about = { projectId: projectId ?? null, conversationId, messageId };
    if (call.claim !== undefined) call.claim.about = about;
    const stream = this.streams.open(messageId, call.userId, about, request.detachedMs);
    try {
      // From here on the answer belongs to the conversation: it continues when the caller disconnects.
      const own: UserCall = { ...call, signal: stream.stopSignal };
      const leftMs = this.config.chat.context_budget_ms - (performance.now() - begunMs);
      const retrieving = this.context(question, request.scope, projectId, prior, leftMs, checking, own);
      const isNew = request.conversation_id === undefined || history.isNew === true;
      const room = Promise.all([
        isNew ? this.conversations.requireRoom(own) : undefined,
        this.streams.requireRoom(stream),
      ]);
      room.catch(() => undefined);
      // Starts the retrieval first, so that the write to disk runs in parallel.
      await nextTurn();
      await waitAtMost(Promise.all([knowing, room]), retrieving, this.config.patience.project_ms);
      const turn = await this.turns.begin(call.userId, {
        conversation_id: conversationId,
        project_id: projectId ?? null,
        turn: {
          message_id: messageId,
          created_at: new Date().toISOString(),
          question,
          ...(history.parentId === undefined ? {} : { parent_id: history.parentId }),
          answer: { text: '', state: 'pending', metadata: {} },
        },
      });
      if (projectId !== undefined) this.conversations.remember(call.userId, conversationId, projectId);
      await this.reserve(messageId, own, retrieving).catch(async (error: unknown) => {
        await turn.abandon();
        throw error;
      });
      const run = new ChatRun(
        question,
        { conversation_id: conversationId, message_id: messageId },
        projectId ?? null,
        prior,
        this.optionsOf(request, projectId, call),
        retrieving,
        turn,
        stream,
        own,
        begunMs,
      );
      void this.answering
        .answer(run)
        .catch((error: unknown) =>
          this.log.error({ err: error, request_id: call.requestId }, 'A chat ended in an error'),
        )
        .finally(() => this.streams.close(stream));
      return stream;
    } catch (error) {
      stream.stop();
      this.streams.discard(stream);
      throw error;
    }
  }

  /**
   * Settles when it is certain that the project belongs to the user; returns the project's instructions for the model.
   */
  private know(
    { project_id }: ChatRequest,
    projectId: History['projectId'],
    checking: Promise<DownstreamError | undefined>,
    call: UserCall,
  ): Promise<unknown> {
    if (project_id !== undefined || typeof projectId !== 'string') return checking;
    // The conversation belongs to the user, so a failure here costs only the instructions.
    return this.access.require(projectId, call).catch(() => undefined);
  }

  /** The project's instructions come before the client's own. */
  private optionsOf(request: ChatRequest, projectId: History['projectId'], call: UserCall): AnswerOptions {
    const { options, model, clientThread, replaces } = request;
    const ofProject = typeof projectId === 'string' ? this.access.instructionsOf(projectId, call.userId) : '';
    const instructions = [ofProject, options?.instructions ?? ''].filter((text) => text.trim() !== '').join('\n\n');
    const asked = { instructions: instructions || undefined, model, clientThread, isRepeat: replaces !== undefined };
    return { sampling: {}, ...options, ...asked };
  }

  private context(
    question: string,
    scope: Scope | undefined,
    projectId: History['projectId'],
    prior: readonly PriorMessage[],
    budgetMs: number,
    checking: Promise<DownstreamError | undefined>,
    call: UserCall,
  ): Promise<Retrieved | null> {
    if (projectId === null) return Promise.resolve(null);
    // The filesystem server, which knows whether the conversation has a project, is unavailable.
    if (projectId === undefined) return Promise.resolve(UNAVAILABLE);
    const { passages } = this.config.chat;
    const retrieving = this.passages.gather(
      question,
      {
        projectId,
        query: searchQuery(question, prior),
        limit: passages,
        offset: 0,
        mode: 'hybrid',
        scope,
        budgetMs,
      },
      call,
      checking,
    );
    retrieving.catch(() => undefined);
    return retrieving;
  }

  /**
   * Used-up credits are an error; an unavailable billing server is not, and the wait for it ends with that for the
   * passages.
   */
  private async reserve(messageId: string, call: UserCall, retrieving: Promise<unknown>): Promise<void> {
    try {
      const inTime = await waitAtMost(
        this.credits.reserve(messageId, call),
        retrieving,
        this.config.patience.billing_ms,
      );
      if (!inTime) throw slowBilling();
    } catch (error) {
      if (error instanceof DownstreamError && error.status === 402) throw error;
      call.degradation.add('billing', error, 'outbox');
      await this.credits.requireUnmeteredRoom(call.userId);
    }
  }
}

const slowBilling = () =>
  new DownstreamError({
    service: 'billing',
    reason: 'timeout',
    message: 'billing took longer than a chat waits for it',
  });
