import { Chat } from '@ai-sdk/react';
import type { ChatTransport } from 'ai';
import { api, dataOf, problemOf, watchedFetch } from '../api/client.ts';
import { connection } from '../api/connection.ts';
import { queries } from '../api/queries.ts';
import type { Conversation, Turn } from '../api/shapes.ts';
import { keepDraft, readDraft } from '../session/drafts.ts';
import { type AnswerCalls, type AnswerPlace, answerChunks, type Phase } from './answer-chunks.ts';
import { liveChats } from './live-chats.ts';
import { announceTurn } from './other-tabs.ts';
import { type ChatChunk, type ChatMessage, messagesOf, textOf } from './message.ts';

/** One conversation while the page is open. It goes on when another page is shown, and when its address changes. */
export class LiveChat {
  readonly chat: Chat<ChatMessage>;
  phase: Phase | 'idle' = 'idle';
  conversation: string | undefined;
  private place: AnswerPlace | undefined;
  private readonly listeners = new Set<() => void>();

  constructor(
    readonly project: string,
    conversation: Conversation | undefined,
  ) {
    this.conversation = conversation?.conversation_id;
    this.chat = new Chat<ChatMessage>({
      generateId: randomId,
      messages: conversation?.turns.flatMap(messagesOf) ?? [],
      transport: this.transport(),
      // What goes wrong stands beside its question; the chat itself goes on.
      onError: () => this.setPhase('idle'),
      onFinish: () => this.setPhase('idle'),
    });
    if (conversation !== undefined) this.takeUp(conversation);
    const kept = this.outgoing();
    if (kept !== undefined) void this.chat.sendMessage({ id: kept.id, parts: [{ type: 'text', text: kept.text }] });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  get busy(): boolean {
    return this.chat.status === 'submitted' || this.chat.status === 'streaming';
  }

  send(text: string): void {
    const id = randomId();
    keepDraft(this.outgoingName(), JSON.stringify({ id, text }));
    void this.chat.sendMessage({ id, parts: [{ type: 'text', text }] });
  }

  /** Asks the last question again after it was refused. */
  retry(): void {
    this.chat.clearError();
    void this.chat.regenerate();
  }

  /** The server ends the stream, which brings what is known of the answer so far; where it can't, the page ends it. */
  async stop(): Promise<void> {
    const { place } = this;
    if (place === undefined) return this.abandon();
    const params = { path: { message_id: place.messageId } };
    await dataOf(api.DELETE('/v1/api/chat/{message_id}/stream', { params })).catch(() => this.abandon());
  }

  private async abandon(): Promise<void> {
    keepDraft(this.outgoingName(), undefined);
    await this.chat.stop();
  }

  /** Brings what was said in another tab, and joins an answer that is being written there. */
  takeUp({ turns }: Conversation): void {
    if (this.busy) return;
    const known = new Set(this.chat.messages.map(({ id }) => id));
    if (turns.some(({ message_id, answer }) => answer.state !== 'pending' && !known.has(message_id))) {
      this.chat.messages = turns.flatMap(messagesOf);
    }
    const last = turns.at(-1);
    if (last?.answer.state !== 'pending' || this.conversation === undefined) return;
    if (!known.has(`${last.message_id}-question`)) this.chat.messages = turns.flatMap(messagesOf);
    this.place = { messageId: last.message_id, conversationId: this.conversation };
    void this.chat.resumeStream();
  }

  private transport(): ChatTransport<ChatMessage> {
    return {
      // A stream that is joined comes from its beginning.
      resumeStreamIsReplay: true,
      sendMessages: ({ messages, abortSignal }) => {
        const asked = messages.at(-1) as ChatMessage;
        this.place = undefined;
        return Promise.resolve(this.stream(this.calls(asked), undefined, abortSignal));
      },
      reconnectToStream: () =>
        Promise.resolve(this.place === undefined ? null : this.stream(this.calls(undefined), this.place, undefined)),
    };
  }

  private stream(calls: AnswerCalls, from: AnswerPlace | undefined, signal: AbortSignal | undefined) {
    this.setPhase('waiting');
    const options = {
      ...(from === undefined ? {} : { from }),
      ...(signal === undefined ? {} : { signal }),
      onPhase: (phase: Phase) => this.setPhase(phase),
    };
    const chunks = answerChunks(calls, options);
    return new ReadableStream<ChatChunk>({
      pull: async (controller) => {
        try {
          const { done, value } = await chunks.next();
          if (done) return controller.close();
          if (value.type === 'start') this.started(value.messageMetadata);
          if (value.type === 'finish') this.finished();
          controller.enqueue(value);
        } catch (error) {
          if (signal?.aborted) controller.close();
          else controller.error(error);
        }
      },
      cancel: () => void chunks.return(undefined),
    });
  }

  private calls(asked: ChatMessage | undefined): AnswerCalls {
    return {
      ask: (signal) =>
        streamOf('/v1/api/chat', {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'idempotency-key': asked?.id ?? '' },
          body: JSON.stringify({
            message: asked === undefined ? '' : textOf(asked),
            project_id: this.project,
            conversation_id: this.conversation ?? null,
            stream: true,
          }),
          signal: signal ?? null,
        }),
      resume: (messageId, lastEventId, signal) =>
        streamOf(`/v1/api/chat/${encodeURIComponent(messageId)}/stream`, {
          headers: { 'last-event-id': String(lastEventId) },
          signal: signal ?? null,
        }),
      storedTurn: async (conversationId, messageId) =>
        (await readConversation(conversationId)).turns.find((turn: Turn) => turn.message_id === messageId),
      usable: (signal) => connection.usable(signal),
      wait: (ms, signal) => sleep(ms, signal),
    };
  }

  private started(ids: { conversation_id?: string; message_id?: string } | undefined): void {
    keepDraft(this.outgoingName(), undefined);
    if (ids?.conversation_id === undefined || ids.message_id === undefined) return;
    this.place = { messageId: ids.message_id, conversationId: ids.conversation_id };
    if (this.conversation === undefined) {
      this.conversation = ids.conversation_id;
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

  private outgoing(): { id: string; text: string } | undefined {
    const kept = readDraft(this.outgoingName());
    return kept === undefined ? undefined : (JSON.parse(kept) as { id: string; text: string });
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

export const readConversation = (conversation: string) =>
  dataOf(
    api.GET('/v1/api/conversations/{conversation_id}', { params: { path: { conversation_id: conversation } } }),
  ) as Promise<Conversation>;

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

/** Unlike `crypto.randomUUID`, also on a page that came without TLS. */
function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
