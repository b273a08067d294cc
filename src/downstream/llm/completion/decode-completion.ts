import { type Chunk, chunkSchema, completionError, errorOf, textsOf } from './chunk.schema.js';
import { CleanText } from './clean-text.js';
import type { CompletionEvent, FinishReason } from './completion-event.js';
import { type Payload, payloads } from './payloads.js';
import { ThinkFilter } from './think-filter.js';

/** How long the usage is waited for behind the finish reason. */
const USAGE_MS = 500;
/** A last event that holds the whole text once more is longer than this; a word may well be said twice. */
const MIN_REPEATED_CHARS = 20;

/**
 * Reads a completion: an event stream, or the one JSON document of an endpoint that does not stream. It ends with the
 * finish reason, whatever the connection does afterwards. White space comes with the text behind it, because alone it is
 * no answer.
 * @throws Error when it is something else, tells of an error, or ends before its end
 */
export async function* decodeCompletion(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<CompletionEvent> {
  const reader = new CompletionReader();
  const source = payloads(chunks)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = reader.finish === undefined ? await source.next() : await soon(source.next());
      if (next === undefined || next.done === true) break;
      yield* reader.read(next.value);
      if (reader.isDone) break;
    }
  } finally {
    void source.return?.(undefined).then(undefined, () => undefined);
  }
  yield* reader.end();
}

/** The next payload, where it comes in time and without an error; undefined: what was said so far is all. */
async function soon(next: Promise<IteratorResult<Payload>>): Promise<IteratorResult<Payload> | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), USAGE_MS)));
  try {
    return await Promise.race([next.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}

class CompletionReader {
  finish: FinishReason | undefined;
  isDone = false;
  private readonly thinking = new ThinkFilter();
  private readonly clean = new CleanText();
  private said = '';
  /** Something of the answer or of the thinking has come. The empty first event of many endpoints is no sign of work. */
  private hasBegun = false;
  private blank = '';

  *read(payload: Payload): Generator<CompletionEvent> {
    if (payload.type === 'comment') {
      yield { type: 'progress' };
      return;
    }
    if (payload.data === '[DONE]') {
      this.isDone = true;
      // Some endpoints say so instead of a finish reason.
      this.finish ??= 'stop';
      return;
    }
    const chunk = chunkSchema.parse(JSON.parse(payload.data));
    const error = errorOf(chunk) ?? (payload.event === 'error' ? completionError(chunk) : undefined);
    if (error !== undefined) {
      if (this.finish === undefined) throw error;
      return;
    }
    yield* this.readChoice(chunk);
    if (chunk.usage) {
      const { prompt_tokens: promptTokens, completion_tokens: completionTokens } = chunk.usage;
      yield { type: 'usage', promptTokens, completionTokens };
    }
  }

  *end(): Generator<CompletionEvent> {
    const rest = this.thinking.end();
    yield* this.thought(rest.reasoning);
    yield* this.text(rest.text + this.clean.end());
    if (this.finish === undefined) throw new Error('the answer ended before its end');
    yield { type: 'finish', reason: this.finish };
  }

  /** Of several answers the first one, which some endpoints do not number. */
  private *readChoice({ choices }: Chunk): Generator<CompletionEvent> {
    const choice = choices?.find(({ index }) => (index ?? 0) === 0);
    if (choice === undefined || this.finish !== undefined) return;
    const whole = choice.delta === null || choice.delta === undefined || Object.keys(choice.delta).length === 0;
    // Some endpoints end a stream with the whole message once more.
    const message = whole && this.said === '' ? (choice.message ?? choice.delta) : choice.delta;
    const { text, thinking } = textsOf(message?.content);
    yield* this.thought(thinking + (message?.reasoning_content ?? message?.reasoning ?? ''));
    const { finish_reason: reason } = choice;
    if (!(reason && this.isRepeated(text))) {
      const { text: answer, reasoning } = this.thinking.push(text);
      yield* this.thought(reasoning);
      yield* this.text(answer);
    }
    const refusal = message?.refusal ?? '';
    yield* this.text(refusal);
    if (text === '' && this.hasBegun) yield { type: 'progress' };
    if (reason || choice.message) this.finish = this.reasonOf(reason ?? 'stop', refusal !== '');
  }

  private isRepeated(text: string): boolean {
    return text.length >= MIN_REPEATED_CHARS && text.trim() === this.said.trim();
  }

  /** @throws Error for an end that is none: the next model can do better */
  private reasonOf(reason: string, refused: boolean): FinishReason {
    if (reason === 'error') throw new Error('the model ended its answer with an error');
    if (/^(tool_calls|function_call)$/.test(reason) && this.said === '') {
      throw new Error('the model called a tool, and none was offered');
    }
    if (/^(length|max_tokens|model_length|max_output_tokens)$/i.test(reason)) return 'length';
    if (refused || /^(content_filter|content-filter|safety|refusal|prohibited_content|blocklist)$/i.test(reason)) {
      return 'content_filter';
    }
    return 'stop';
  }

  private *thought(text: string): Generator<CompletionEvent> {
    if (text === '') return;
    this.hasBegun = true;
    yield { type: 'reasoning', text: text.replaceAll('\0', '').toWellFormed() };
  }

  private *text(raw: string): Generator<CompletionEvent> {
    const text = this.clean.push(raw);
    if (text.trim() === '') {
      this.blank += text;
      return;
    }
    const whole = this.blank + text;
    this.blank = '';
    this.said += whole;
    this.hasBegun = true;
    yield { type: 'text', text: whole };
  }
}
