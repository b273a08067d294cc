import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { createParser } from 'eventsource-parser';
import { z } from 'zod';
import { InjectConfig } from '../../config/config.module.js';
import type { ClientName, Config } from '../../config/config.schema.js';
import type { CallContext } from '../../resilience/policy/call-context.js';
import { MODEL_CLIENTS } from '../../resilience/resilience.module.js';
import type { ResilientClient } from '../../resilience/wire/resilient-client.js';

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

export type LlmEvent =
  { type: 'text'; text: string } | { type: 'usage'; promptTokens: number; completionTokens: number };

const said = z.object({ content: z.string().nullish() }).nullish();
/**
 * What an OpenAI-compatible endpoint sends with each event of `/chat/completions`, as far as it is read; with `message`
 * in place of `delta` it is a whole `chat.completion`.
 */
const chunkSchema = z.object({
  choices: z.array(z.object({ delta: said, message: said, finish_reason: z.string().nullish() })).default([]),
  usage: z
    .object({ prompt_tokens: z.int().nonnegative(), completion_tokens: z.int().nonnegative() })
    .nullish()
    // No text is lost for the sake of a number: without one, the tokens are estimated.
    .catch(null),
  error: z.unknown().optional(),
});

/** Of one event, or of an answer that comes as one document. */
const MAX_CHARS = 4 * 1024 * 1024;

/** A model at an OpenAI-compatible `/chat/completions`, streamed. */
export class LanguageModel {
  constructor(
    readonly name: string,
    private readonly client: ResilientClient,
  ) {}

  get service(): ClientName {
    return this.client.service;
  }

  /**
   * Resolves with the first token, and fails before it only: whoever leaves the loop stops the model.
   * @param repeatable false: one attempt is all
   * @throws DownstreamError
   */
  stream(
    messages: readonly ChatMessage[],
    maxTokens: number,
    call: CallContext,
    repeatable: boolean,
  ): Promise<AsyncIterable<LlmEvent>> {
    const body = {
      model: this.name,
      messages,
      max_tokens: maxTokens,
      stream: true,
      stream_options: { include_usage: true },
    };
    return this.client.stream(
      {
        method: 'POST',
        path: '/chat/completions',
        headers: { accept: 'text/event-stream' },
        body,
        repeatable,
        decode: decodeCompletion,
      },
      call,
    );
  }
}

/** The models that are configured, in the order in which they are to be asked; none without an address. */
@Injectable()
export class LlmClient implements OnApplicationShutdown {
  readonly models: readonly LanguageModel[];

  constructor(
    @InjectConfig() config: Config,
    @Inject(MODEL_CLIENTS) private readonly clients: readonly ResilientClient[],
  ) {
    const names = [config.llm.model, ...config.llm.fallbacks.map(({ model }) => model)];
    this.models = clients.flatMap((client, index) => {
      const name = names[index];
      return client.configured && typeof name === 'string' ? [new LanguageModel(name, client)] : [];
    });
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.onApplicationShutdown()));
  }
}

/**
 * Reads a completion: an event stream, which ends at `[DONE]` or after a `finish_reason`, or the one JSON document of an
 * endpoint that does not stream. White space comes with the text behind it: alone it is no answer.
 * @throws Error when it is something else, tells of an error, or ends before its end
 */
export async function* decodeCompletion(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<LlmEvent> {
  let begun = false;
  let finished = false;
  let blank = '';
  for await (const data of payloads(chunks)) {
    if (data === '[DONE]') return;
    const { choices, usage, error } = chunkSchema.parse(JSON.parse(data));
    if (error !== undefined && error !== null) throw new Error('the model reported an error in its answer');
    const [choice] = choices;
    // Some endpoints end a stream with the whole message once more.
    const text = choice?.delta?.content ?? (begun ? null : choice?.message?.content);
    if (text && text.trim() !== '') {
      begun = true;
      yield { type: 'text', text: blank + text };
      blank = '';
    } else blank += text ?? '';
    if (choice?.finish_reason || choice?.message) finished = true;
    if (usage) yield { type: 'usage', promptTokens: usage.prompt_tokens, completionTokens: usage.completion_tokens };
  }
  if (!finished) throw new Error('the answer ended before its end');
}

/**
 * The data of each event, or the whole of a body that is a JSON object: told apart by how it begins, since what stands
 * in its content type is not always true.
 */
async function* payloads(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const pending: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => pending.push(data), maxBufferSize: MAX_CHARS });
  let beginning = true;
  let document = '';
  for await (const chunk of chunks) {
    const text = decoder.decode(chunk, { stream: true });
    if (document !== '' || (beginning && text.trimStart().startsWith('{'))) {
      document += text;
      if (document.length > MAX_CHARS) throw new Error(`the answer is longer than ${MAX_CHARS} characters`);
      continue;
    }
    if (text.trim() !== '') beginning = false;
    parser.feed(text);
    yield* pending.splice(0);
  }
  // The last event may lack the empty line that ends it.
  parser.feed('\n\n');
  yield* document === '' ? pending : [document];
}
