import { type Chunk, chunkSchema, completionError, errorOf, textsOf } from './chunk.schema.js';
import { CleanText } from './clean-text.js';
import type { CompletionEvent, FinishReason } from './completion-event.js';
import { type Payload, payloads } from './payloads.js';
import { ThinkFilter } from './think-filter.js';

/** How long to wait for the usage after the finish reason. */
const USAGE_MS = 500;
/**
 * Only a longer text in the last event is compared with the answer and dropped as its repetition; a short word may
 * occur twice.
 */
const MIN_REPEATED_CHARS = 20;

/**
 * Reads a completion: an event stream, or the single JSON document of an endpoint that does not stream. It ends with
 * the finish reason, even if the connection fails afterwards. White space is passed on with the text after it, because
 * white space alone is not an answer.
 * @throws Error for any other body, a reported error, or a stream that ends early
 */
export async function* decodeCompletion(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<CompletionEvent> {
  const reader = new CompletionReader();
  const source = payloads(chunks)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = reader.finish === undefined ? await source.next() : await nextInTime(source.next());
      if (next === undefined || next.done === true) break;
      yield* reader.read(next.value);
      if (reader.isDone) break;
    }
  } finally {
    void source.return?.(undefined).then(undefined, () => undefined);
  }
  yield* reader.end();
}

/** The next payload, if it arrives in time and without an error; undefined: the answer is complete as it is. */
async function nextInTime(next: Promise<IteratorResult<Payload>>): Promise<IteratorResult<Payload> | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), USAGE_MS)));
  try {
    return await Promise.race([next.catch(() => undefined), timeout]);
  } finally {
    clearTimeout(timer);
  }
}

class CompletionReader {
  finish: FinishReason | undefined;
  isDone = false;
  private readonly thinking = new ThinkFilter();
  private readonly clean = new CleanText();
  private answer = '';
  /**
   * Whether text of the answer or of the thinking has arrived. The empty first event of many endpoints is not progress.
   */
  private hasStarted = false;
  private blank = '';

  *read(payload: Payload): Generator<CompletionEvent> {
    if (payload.type === 'comment') {
      yield { type: 'progress' };
      return;
    }
    if (payload.data === '[DONE]') {
      this.isDone = true;
      // Some endpoints send this instead of a finish reason.
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

  /** Reads the first of several choices; some endpoints do not number it. */
  private *readChoice({ choices }: Chunk): Generator<CompletionEvent> {
    const choice = choices?.find(({ index }) => (index ?? 0) === 0);
    if (choice === undefined || this.finish !== undefined) return;
    const whole = choice.delta === null || choice.delta === undefined || Object.keys(choice.delta).length === 0;
    // Some endpoints repeat the whole message at the end of a stream.
    const message = whole && this.answer === '' ? (choice.message ?? choice.delta) : choice.delta;
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
    if (text === '' && this.hasStarted) yield { type: 'progress' };
    if (reason || choice.message) this.finish = this.reasonOf(reason ?? 'stop', refusal !== '');
  }

  private isRepeated(text: string): boolean {
    return text.length >= MIN_REPEATED_CHARS && text.trim() === this.answer.trim();
  }

  /** @throws Error for an end without a usable answer, so that the next model is tried */
  private reasonOf(reason: string, refused: boolean): FinishReason {
    if (reason === 'error') throw new Error('the model ended its answer with an error');
    if (/^(tool_calls|function_call)$/.test(reason) && this.answer === '') {
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
    this.hasStarted = true;
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
    this.answer += whole;
    this.hasStarted = true;
    yield { type: 'text', text: whole };
  }
}
