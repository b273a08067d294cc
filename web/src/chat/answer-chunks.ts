import { EventSourceParserStream } from 'eventsource-parser/stream';
import { ApiProblem, BackendAway, isPassing } from '../api/client.ts';
import type { ChatSummary, Turn } from '../api/shapes.ts';
import type { ChatChunk } from './message.ts';

/** What the answer is waiting for. */
export type Phase = 'waiting' | 'writing' | 'queued' | 'resuming';

/** The calls an answer is made of. Each may be repeated: the question carries an idempotency key. */
export interface AnswerCalls {
  ask(signal: AbortSignal | undefined): Promise<Response>;
  resume(messageId: string, lastEventId: number, signal: AbortSignal | undefined): Promise<Response>;
  storedTurn(conversationId: string, messageId: string): Promise<Turn | undefined>;
  /** Resolves when the backend can be reached and takes the session. */
  usable(signal: AbortSignal | undefined): Promise<void>;
  wait(ms: number, signal: AbortSignal | undefined): Promise<void>;
}

export interface AnswerPlace {
  messageId: string;
  conversationId: string;
}

const REFUSALS = 6;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;
const STORED_POLL_MS = 1000;
const STORED_POLLS = 60;

/**
 * Every chunk of one answer, each once, however often the connection breaks: after a break the stream goes on behind the
 * last event that arrived; where the stream is gone, the rest comes from the stored turn.
 * @param from an answer that is being written already; without it the question is asked
 * @throws ApiProblem when the question is refused
 */
export async function* answerChunks(
  calls: AnswerCalls,
  { from, signal, onPhase }: { from?: AnswerPlace; signal?: AbortSignal; onPhase: (phase: Phase) => void },
): AsyncGenerator<ChatChunk, void, undefined> {
  const progress = new Progress(from);
  let fruitless = 0;
  for (;;) {
    let response: Response;
    try {
      response = await openPatiently(calls, progress, signal, onPhase);
    } catch (error) {
      const gone = error instanceof ApiProblem && error.status === 404 && progress.place !== undefined;
      if (!gone) throw error;
      yield* restOf(calls, progress, signal);
      return;
    }
    onPhase(progress.lastEventId === 0 ? 'waiting' : 'writing');
    const before = progress.lastEventId;
    for await (const chunk of chunksOf(response, progress, signal)) {
      if (chunk.type === 'text-delta') onPhase('writing');
      // A failed answer says so in its last chunk as well, with all that is known of it.
      if (chunk.type !== 'error') yield chunk;
    }
    if (progress.done || signal?.aborted) return;
    onPhase('resuming');
    fruitless = progress.lastEventId > before ? 0 : fruitless + 1;
    if (fruitless > 0) await calls.wait(backoffMs(fruitless), signal);
  }
}

/** How far an answer has come. */
class Progress {
  place: AnswerPlace | undefined;
  lastEventId = 0;
  text = '';
  textId: string | undefined;
  done = false;

  constructor(from: AnswerPlace | undefined) {
    this.place = from;
  }

  add(id: number, chunk: ChatChunk): void {
    this.lastEventId = id;
    if (chunk.type === 'start') {
      const { message_id, conversation_id } = chunk.messageMetadata ?? {};
      if (message_id !== undefined && conversation_id !== undefined) {
        this.place = { messageId: message_id, conversationId: conversation_id };
      }
    } else if (chunk.type === 'text-start') this.textId = chunk.id;
    else if (chunk.type === 'text-end') this.textId = undefined;
    else if (chunk.type === 'text-delta') this.text += chunk.delta;
    else if (chunk.type === 'data-retraction') this.text = '';
  }
}

async function openPatiently(
  calls: AnswerCalls,
  progress: Progress,
  signal: AbortSignal | undefined,
  onPhase: (phase: Phase) => void,
): Promise<Response> {
  for (let refusals = 1; ;) {
    const { place } = progress;
    try {
      return await (place === undefined
        ? calls.ask(signal)
        : calls.resume(place.messageId, progress.lastEventId, signal));
    } catch (error) {
      const signedOut = error instanceof ApiProblem && error.status === 401;
      if (error instanceof BackendAway || signedOut) {
        onPhase(place === undefined ? 'queued' : 'resuming');
        await calls.usable(signal);
      } else if (isPassing(error) && refusals < REFUSALS) {
        onPhase(place === undefined ? 'queued' : 'resuming');
        await calls.wait((error as ApiProblem).retryAfterMs ?? backoffMs(refusals), signal);
        refusals += 1;
      } else throw error;
    }
  }
}

const backoffMs = (tries: number) => Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 1));

/** The chunks that one connection brings; it ends where the connection does, whole events only. */
async function* chunksOf(
  { body }: Response,
  progress: Progress,
  signal: AbortSignal | undefined,
): AsyncGenerator<ChatChunk> {
  if (body === null) return;
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array<ArrayBuffer>>)
    .pipeThrough(new EventSourceParserStream())
    .getReader();
  try {
    for (;;) {
      const { done, value: event } = await reader.read().catch(() => ({ done: true, value: undefined }) as const);
      if (done || signal?.aborted) return;
      if (event.data === '[DONE]') {
        progress.done = true;
        return;
      }
      const chunk = JSON.parse(event.data) as ChatChunk;
      progress.add(Number(event.id), chunk);
      yield chunk;
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}

/** What the stored turn has beyond what arrived: for an answer whose stream is gone. */
async function* restOf(
  calls: AnswerCalls,
  { place, lastEventId, text, textId }: Progress,
  signal: AbortSignal | undefined,
): AsyncGenerator<ChatChunk> {
  const { messageId, conversationId } = place as AnswerPlace;
  const turn = await settledTurn(calls, messageId, conversationId, signal);
  if (lastEventId === 0) yield { type: 'start', messageId };
  const rest = turn.answer.text.slice(text.length);
  const id = textId ?? 'stored';
  if (rest !== '' && textId === undefined) yield { type: 'text-start', id };
  if (rest !== '') yield { type: 'text-delta', id, delta: rest };
  if (rest !== '' || textId !== undefined) yield { type: 'text-end', id };
  const state = turn.answer.state === 'pending' ? 'partial' : turn.answer.state;
  const messageMetadata = { ...(turn.answer.metadata as Partial<ChatSummary>), state };
  yield { type: 'finish', messageMetadata };
}

/** @throws ApiProblem 404 when there is no such turn */
async function settledTurn(
  calls: AnswerCalls,
  messageId: string,
  conversationId: string,
  signal: AbortSignal | undefined,
): Promise<Turn> {
  for (let polls = 1; ; polls += 1) {
    const turn = await calls.storedTurn(conversationId, messageId).catch((error: unknown) => {
      if (isPassing(error) && polls < STORED_POLLS) return undefined;
      throw error;
    });
    if (turn !== undefined && (turn.answer.state !== 'pending' || polls >= STORED_POLLS)) return turn;
    if (polls >= STORED_POLLS) throw new BackendAway('The answer could not be read.');
    await calls.wait(STORED_POLL_MS, signal);
  }
}
