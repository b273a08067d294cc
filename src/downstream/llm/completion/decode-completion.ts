import { describeFault } from '../../../resilience/wire/wire-request.js';
import { type Choice, type Chunk, chunkSchema, completionError, errorOf, textsOf } from './chunk.schema.js';
import { CleanText } from './clean-text.js';
import type { CompletionEvent, FinishReason, ReadingStyle } from './completion-event.js';
import { type EndpointReason, finishReasonOf } from './finish-reason.js';
import { type Payload, payloads } from './payloads.js';
import { FirstChoice } from './first-choice.js';
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
 * @param style is changed by what the answer shows
 * @throws Error for any other body, a reported error, or a stream that ends early
 */
export async function* decodeCompletion(
  chunks: AsyncIterable<Uint8Array>,
  style: ReadingStyle = { opensThinking: false },
): AsyncGenerator<CompletionEvent> {
  const reader = new CompletionReader(style);
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
  private readonly thinking: ThinkFilter;
  private readonly clean = new CleanText();
  private readonly choices = new FirstChoice();
  private answer = '';
  /**
   * Whether text of the answer or of the thinking has arrived. The empty first event of many endpoints is not progress.
   */
  private hasStarted = false;
  private hasRefused = false;
  private hasCalledTool = false;
  private blank = '';

  constructor(private readonly style: ReadingStyle) {
    this.thinking = new ThinkFilter(style.opensThinking);
  }

  *read(payload: Payload): Generator<CompletionEvent> {
    if (payload.type === 'comment' || payload.event === 'ping') {
      yield { type: 'progress' };
      return;
    }
    const data = payload.data.trim();
    if (data === '') return;
    if (/^"?\[done\]"?$/i.test(data)) {
      this.isDone = true;
      return;
    }
    for (const chunk of this.parse(data, payload.event === 'error')) {
      yield* this.readChoices(chunk);
      if (chunk.usage) {
        const { prompt_tokens: promptTokens, completion_tokens: completionTokens } = chunk.usage;
        yield { type: 'usage', promptTokens, completionTokens };
      }
    }
  }

  *end(): Generator<CompletionEvent> {
    for (const choice of this.choices.rest()) yield* this.readChoice(choice);
    // Some endpoints send `[DONE]` instead of a finish reason.
    if (this.isDone) this.finish ??= 'stop';
    const isCut = this.finish === 'length';
    const rest = this.thinking.end(isCut);
    yield* this.thought(rest.reasoning);
    yield* this.text(rest.text + this.clean.end());
    if (this.finish === undefined) throw new Error('the answer ended before its end');
    if (!isCut) this.style.opensThinking = this.thinking.isNextOpened;
    yield { type: 'finish', reason: this.finish };
  }

  /**
   * The chunks of an event: one, or several in an array, as some endpoints send a whole stream, and Gemini its errors.
   * @throws CompletionError for an event that reports an error
   */
  private parse(data: string, isError: boolean): Chunk[] {
    let json: unknown;
    try {
      json = JSON.parse(data);
    } catch (error) {
      throw isError ? completionError(data) : error;
    }
    const all: unknown[] = Array.isArray(json) ? json : [json];
    return all.filter((one) => one !== null).map((one) => this.check(one, isError));
  }

  private check(json: unknown, isError: boolean): Chunk {
    const parsed = chunkSchema.safeParse(json);
    if (!parsed.success) throw isError ? completionError(json) : new Error(describeFault('event', parsed.error));
    const error = errorOf(parsed.data) ?? (isError ? completionError(parsed.data) : undefined);
    // After the finish reason the answer is complete, whatever follows.
    if (error !== undefined && this.finish === undefined) throw error;
    return parsed.data;
  }

  private *readChoices({ choices }: Chunk): Generator<CompletionEvent> {
    for (const choice of this.choices.pick(choices ?? [])) yield* this.readChoice(choice);
  }

  private *readChoice(choice: Choice): Generator<CompletionEvent> {
    if (this.finish !== undefined) return;
    const hasDelta = Object.keys(choice.delta ?? {}).length > 0;
    // Some endpoints repeat the whole message at the end of a stream.
    const message = hasDelta || this.answer !== '' ? choice.delta : (choice.message ?? choice.delta);
    const content = textsOf(message?.content ?? choice.text);
    const thinking = content.thinking + (message?.reasoning_content ?? message?.reasoning ?? '');
    if (thinking !== '') this.thinking.thinksElsewhere();
    yield* this.thought(thinking);
    const reason = finishReasonOf(choice.finish_reason);
    if (reason === undefined || !this.isRepeated(content.text)) {
      const { text, reasoning, retracts } = this.thinking.push(content.text);
      if (retracts) yield* this.retract();
      yield* this.thought(reasoning);
      yield* this.text(text);
    }
    const refusal = (message?.refusal ?? '') + content.refusal;
    this.hasRefused ||= refusal !== '';
    this.hasCalledTool ||= (message?.tool_calls?.length ?? 0) > 0 || isTold(message?.function_call);
    yield* this.text(refusal);
    if (content.text === '' && this.hasStarted) yield { type: 'progress' };
    const isWhole = choice.message !== null && choice.message !== undefined && !hasDelta;
    if (reason !== undefined || isWhole) this.finish = this.usable(reason ?? 'stop');
  }

  private isRepeated(text: string): boolean {
    return text.length >= MIN_REPEATED_CHARS && text.trim() === this.answer.trim();
  }

  /** @throws Error for an end without a usable answer, so that the next model is tried */
  private usable(reason: EndpointReason): FinishReason {
    if (reason === 'error') throw new Error('the model ended its answer with an error');
    if (this.hasCalledTool || (reason === 'tool_calls' && this.answer === '')) {
      throw new Error('the model called a tool, and none was offered');
    }
    if (reason === 'tool_calls') return 'stop';
    return this.hasRefused && reason === 'stop' ? 'content_filter' : reason;
  }

  private *retract(): Generator<CompletionEvent> {
    const wasShown = this.answer !== '';
    this.answer = this.blank = '';
    this.clean.end();
    if (wasShown) yield { type: 'retraction' };
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

const isTold = (value: unknown) => value !== undefined && value !== null;
