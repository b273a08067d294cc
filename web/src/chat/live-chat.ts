import { api, dataOf, problemOf, watchedFetch } from '../api/client.ts';
import { connection } from '../api/connection.ts';
import { queries } from '../api/queries.ts';
import { randomId } from '../api/random-id.ts';
import type { Conversation, Feedback, Scope, Turn } from '../api/shapes.ts';
import { keepDraft, readDraft } from '../session/drafts.ts';
import { type AnswerCalls, type AnswerPlace, answerChunks, type Phase } from './answer-chunks.ts';
import { ConversationState } from './conversation-state.ts';
import { liveChats } from './live-chats.ts';
import { announceTurn } from './other-tabs.ts';
import {
  type Asking,
  type ChatChunk,
  type ChatMessage,
  mergedMessages,
  messagesOf,
  question,
  textOf,
} from './message.ts';

/** How many turns are read at first, and how many more each time: a conversation may have thousands. */
const PAGE = 20;
const EARLIER_PAGE = 50;
/** How many are read at once where all of them are needed. */
const ALL_PAGE = 500;
/** The draft that holds the model one has chosen. */
export const MODEL = 'model';

interface Outgoing {
  id: string;
  text: string;
  asking: Asking;
}

/** One conversation while the page is open. It goes on when another page is shown, and when its address changes. */
export class LiveChat {
  readonly chat: ConversationState;
  phase: Phase | 'idle' = 'idle';
  conversation: string | undefined;
  /** A turn of the branch that is shown where that is not the newest one. */
  branch: string | undefined;
  /** How many turns stand before those that are shown. */
  earlier = 0;
  /** The documents that the next questions are about; undefined: all of the project. */
  scope: Scope | undefined;
  /** Whether words are looked for in all turns. */
  finding = false;
  /** Turns that are deleted, as far as the page goes; their deletion can still be taken back. */
  hidden: ReadonlySet<string> = new Set();
  private place: AnswerPlace | undefined;
  private readonly listeners = new Set<() => void>();

  constructor(
    readonly project: string,
    conversation: Conversation | undefined,
  ) {
    this.conversation = conversation?.conversation_id;
    this.chat = new ConversationState(conversation?.turns.flatMap(messagesOf) ?? [], {
      open: (asked, signal) => this.answer(asked, signal),
      onSettled: () => this.settled(),
    });
    this.scope = keptScope(this.scopeName());
    if (conversation !== undefined) this.takeUp(conversation);
    const kept = this.outgoing();
    if (kept !== undefined) this.deliver(kept);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  get busy(): boolean {
    return this.chat.busy;
  }

  send(text: string): void {
    const last = this.chat.messages.at(-1)?.id;
    this.ask(text, this.branch === undefined || last === undefined ? {} : { follows: last });
  }

  /** Asks the question of a turn once more; both answers are kept as branches. */
  regenerate(messageId: string): void {
    this.replace(messageId, undefined);
  }

  /** Asks another question in the place of a turn; both are kept as branches. */
  edit(messageId: string, text: string): void {
    this.replace(messageId, text);
  }

  private replace(messageId: string, text: string | undefined): void {
    const at = this.chat.messages.findIndex(({ id }) => id === messageId);
    const asked = this.chat.messages[at - 1];
    if (this.busy || asked === undefined) return;
    this.chat.clearError();
    this.chat.messages = this.chat.messages.slice(0, at - 1);
    const again = text === undefined ? { again: true } : {};
    this.ask(text ?? textOf(asked), { replaces: messageId, ...again });
  }

  private ask(text: string, place: Asking): void {
    const model = readDraft(MODEL);
    const choices = { ...(this.scope && { scope: this.scope }), ...(model !== undefined && { model }) };
    const outgoing = { id: randomId(), text, asking: { ...place, ...choices } };
    keepDraft(this.outgoingName(), JSON.stringify(outgoing));
    this.deliver(outgoing);
  }

  private deliver({ id, text, asking }: Outgoing): void {
    void this.chat.ask({ ...question(id, text), metadata: { asking } });
  }

  /** Shows the branch that goes through a turn. */
  async show(messageId: string): Promise<void> {
    if (this.busy || this.conversation === undefined) return;
    const conversation = await readConversation(this.conversation, { branch: messageId });
    this.chat.clearError();
    this.branch = messageId;
    this.setMessages(conversation.turns.flatMap(messagesOf), conversation.offset);
  }

  async readAllEarlier(): Promise<void> {
    while (this.earlier > 0) await this.readEarlier(ALL_PAGE);
  }

  async readEarlier(page = EARLIER_PAGE): Promise<void> {
    if (this.conversation === undefined) return;
    const { branch } = this;
    const limit = Math.min(page, this.earlier);
    const offset = this.earlier - limit;
    const { turns } = await readConversation(this.conversation, { branch, limit, offset });
    this.setMessages([...turns.flatMap(messagesOf), ...this.chat.messages], offset);
  }

  /** @param feedback undefined: it is taken back */
  async rate(messageId: string, feedback: Pick<Feedback, 'rating' | 'note'> | undefined): Promise<void> {
    const params = { path: { conversation_id: this.conversation ?? '', message_id: messageId } };
    const address = '/v1/api/conversations/{conversation_id}/turns/{message_id}/feedback';
    await dataOf(
      feedback === undefined ? api.DELETE(address, { params }) : api.PUT(address, { params, body: feedback }),
    );
    const given = feedback && { ...feedback, given_at: new Date().toISOString() };
    this.chat.messages = this.chat.messages.map((message) =>
      message.id === messageId ? { ...message, metadata: { ...message.metadata, feedback: given } } : message,
    );
  }

  hide(messageId: string, hiding: boolean): void {
    const hidden = new Set(this.hidden);
    if (hiding) hidden.add(messageId);
    else hidden.delete(messageId);
    this.hidden = hidden;
    this.tell();
  }

  async deleteTurn(messageId: string, keepalive: boolean): Promise<void> {
    const params = { path: { conversation_id: this.conversation ?? '', message_id: messageId } };
    await dataOf(api.DELETE('/v1/api/conversations/{conversation_id}/turns/{message_id}', { params, keepalive }));
    const at = this.chat.messages.findIndex(({ id }) => id === messageId);
    if (at > 0) this.chat.messages = this.chat.messages.toSpliced(at - 1, 2);
    if (this.branch === messageId) this.branch = undefined;
    await queries.invalidateQueries({ queryKey: ['conversation', this.conversation] });
  }

  setFinding(finding: boolean): void {
    this.finding = finding;
    this.tell();
  }

  setScope(scope: Scope | undefined): void {
    this.scope = scope;
    this.keepScope();
    this.tell();
  }

  private setMessages(messages: ChatMessage[], earlier: number): void {
    this.earlier = earlier;
    this.chat.messages = messages;
    this.tell();
  }

  /** Asks the last question again after it was refused. */
  retry(): void {
    void this.chat.askAgain();
  }

  /** The server ends the stream, which brings what is known of the answer so far; where it can't, the page ends it. */
  async stop(): Promise<void> {
    const { place } = this;
    if (place === undefined) return this.abandon();
    const params = { path: { message_id: place.messageId } };
    await dataOf(api.DELETE('/v1/api/chat/{message_id}/stream', { params })).catch(() => this.abandon());
  }

  private abandon(): void {
    keepDraft(this.outgoingName(), undefined);
    this.chat.stop();
  }

  /** Brings what was said in another tab, and joins an answer that is being written there. */
  takeUp({ turns, offset }: Conversation): void {
    if (this.busy || this.chat.status === 'error') return;
    const messages = mergedMessages(this.chat.messages, turns);
    const read = turns.flatMap(messagesOf).length;
    this.setMessages(messages, offset - Math.floor((messages.length - read) / 2));
    const last = turns.at(-1);
    if (last === undefined || this.conversation === undefined || messages.at(-1)?.role !== 'user') return;
    this.place = { messageId: last.message_id, conversationId: this.conversation };
    void this.chat.join();
  }

  /** @param asked undefined: the answer at `place` is joined, from its beginning */
  private async *answer(asked: ChatMessage | undefined, signal: AbortSignal): AsyncGenerator<ChatChunk> {
    if (asked !== undefined) this.place = undefined;
    this.setPhase('waiting');
    const from = this.place === undefined ? {} : { from: this.place };
    const onPhase = (phase: Phase) => this.setPhase(phase);
    for await (const chunk of answerChunks(this.calls(asked), { ...from, signal, onPhase })) {
      if (chunk.type === 'start') this.started(chunk.messageMetadata);
      if (chunk.type === 'finish') this.finished();
      yield chunk;
    }
  }

  private calls(asked: ChatMessage | undefined): AnswerCalls {
    return {
      ask: (signal) =>
        streamOf('/v1/api/chat', {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'idempotency-key': asked?.id ?? '' },
          body: JSON.stringify(asked === undefined ? {} : this.bodyOf(asked)),
          signal: signal ?? null,
        }),
      resume: (messageId, lastEventId, signal) =>
        streamOf(`/v1/api/chat/${encodeURIComponent(messageId)}/stream`, {
          headers: { 'last-event-id': String(lastEventId) },
          signal: signal ?? null,
        }),
      storedTurn: async (conversationId, messageId) =>
        (await readConversation(conversationId, { branch: messageId })).turns.find(
          (turn: Turn) => turn.message_id === messageId,
        ),
      usable: (signal) => connection.usable(signal),
      wait: (ms, signal) => sleep(ms, signal),
    };
  }

  private bodyOf(asked: ChatMessage) {
    const { again, follows, replaces, scope, model } = asked.metadata?.asking ?? {};
    return {
      ...(again ? {} : { message: textOf(asked) }),
      ...(replaces !== undefined && { replaces }),
      ...(follows !== undefined && { parent_id: follows }),
      ...(scope !== undefined && { scope }),
      ...(model !== undefined && { model }),
      project_id: this.project,
      conversation_id: this.conversation ?? null,
      stream: true,
    };
  }

  private started(ids: { conversation_id?: string; message_id?: string } | undefined): void {
    keepDraft(this.outgoingName(), undefined);
    if (ids?.conversation_id === undefined || ids.message_id === undefined) return;
    this.place = { messageId: ids.message_id, conversationId: ids.conversation_id };
    // The branch that has the newest turn is the newest.
    this.branch = undefined;
    if (this.conversation === undefined) {
      keepDraft(this.scopeName(), undefined);
      this.conversation = ids.conversation_id;
      this.keepScope();
      liveChats.rename(`new:${this.project}`, ids.conversation_id);
    }
    announceTurn(ids.conversation_id);
    this.tell();
  }

  private finished(): void {
    const conversation = this.place?.conversationId;
    this.place = undefined;
    if (conversation !== undefined) announceTurn(conversation);
    void queries.invalidateQueries({ queryKey: ['conversations'] });
    void queries.invalidateQueries({ queryKey: ['billing'] });
  }

  /** The versions of a turn are known to the store alone. */
  private settled(): void {
    this.setPhase('idle');
    void queries.invalidateQueries({ queryKey: ['conversation', this.conversation] });
  }

  private outgoing(): Outgoing | undefined {
    const kept = readDraft(this.outgoingName());
    return kept === undefined ? undefined : (JSON.parse(kept) as Outgoing);
  }

  /** The choice holds for all further questions, also after the page was closed. */
  private keepScope(): void {
    keepDraft(this.scopeName(), this.scope === undefined ? undefined : JSON.stringify(this.scope));
  }

  private scopeName(): string {
    return `scope:${this.project}:${this.conversation ?? 'new'}`;
  }

  private outgoingName(): string {
    return `outgoing:${this.project}:${this.conversation ?? 'new'}`;
  }

  private setPhase(phase: Phase | 'idle'): void {
    if (this.phase === phase) return;
    this.phase = phase;
    this.tell();
  }

  private tell(): void {
    for (const listener of [...this.listeners]) listener();
  }
}

/** The chat under a name, see {@link liveChats}; a conversation that is read already is given along. */
export function openChat(name: string, project: string, conversation?: Conversation): LiveChat {
  const known = liveChats.get(name);
  if (known !== undefined) return known;
  const opened = new LiveChat(project, conversation);
  liveChats.add(name, opened);
  return opened;
}

/** The newest turns of a branch, or those of a span. */
export async function readConversation(
  conversation: string,
  { branch, ...span }: { branch?: string | undefined; limit?: number; offset?: number } = {},
): Promise<Conversation> {
  const query = { ...(span.limit === undefined ? { last: PAGE } : span), ...(branch !== undefined && { branch }) };
  const params = { path: { conversation_id: conversation }, query };
  return (await dataOf(api.GET('/v1/api/conversations/{conversation_id}', { params }))) as Conversation;
}

function keptScope(name: string): Scope | undefined {
  const kept = readDraft(name);
  return kept === undefined ? undefined : (JSON.parse(kept) as Scope);
}

async function streamOf(address: string, { headers, ...init }: RequestInit): Promise<Response> {
  const response = await watchedFetch(address, { ...init, headers: { ...headers, accept: 'text/event-stream' } });
  if (!response.ok) throw problemOf(response.status, await response.json().catch(() => undefined));
  return response;
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}
