import { Injectable } from '@nestjs/common';
import { createParser } from 'eventsource-parser';
import { z } from 'zod';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import type { CallContext } from '../../resilience/call-context.js';
import { ResilientClient } from '../../resilience/resilient-client.js';

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

export type LlmEvent =
  { type: 'text'; text: string } | { type: 'usage'; promptTokens: number; completionTokens: number };

/** What an OpenAI-compatible endpoint sends with each event of `/chat/completions`, as far as it is read. */
const chunkSchema = z.object({
  choices: z
    .array(
      z.object({ delta: z.object({ content: z.string().nullish() }).nullish(), finish_reason: z.string().nullish() }),
    )
    .default([]),
  usage: z.object({ prompt_tokens: z.int(), completion_tokens: z.int() }).nullish(),
  error: z.unknown().optional(),
});

/** Any OpenAI-compatible `/chat/completions`, streamed. */
@Injectable()
export class LlmClient {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly client: ResilientClient,
  ) {}

  /** The model's name; null where no endpoint is configured. */
  get model(): string | null {
    return this.config.downstream.llm.url === null ? null : this.config.llm.model;
  }

  /**
   * Resolves with the first token, and fails before it only: whoever leaves the loop stops the model.
   * @throws DownstreamError
   */
  stream(messages: readonly ChatMessage[], maxTokens: number, call: CallContext): Promise<AsyncIterable<LlmEvent>> {
    const body = {
      model: this.config.llm.model,
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
        decode: decodeCompletion,
      },
      call,
    );
  }
}

/**
 * Reads a completion's event stream; ends at `[DONE]` or after a `finish_reason`.
 * @throws Error when the stream is something else, tells of an error, or ends before its end
 */
export async function* decodeCompletion(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<LlmEvent> {
  const text = new TextDecoder();
  const pending: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => pending.push(data) });
  let finished = false;
  for await (const chunk of chunks) {
    parser.feed(text.decode(chunk, { stream: true }));
    for (const data of pending.splice(0)) {
      if (data === '[DONE]') return;
      const { choices, usage, error } = chunkSchema.parse(JSON.parse(data));
      if (error !== undefined && error !== null) throw new Error('the model reported an error in its stream');
      const [choice] = choices;
      if (choice?.delta?.content) yield { type: 'text', text: choice.delta.content };
      if (choice?.finish_reason) finished = true;
      if (usage) yield { type: 'usage', promptTokens: usage.prompt_tokens, completionTokens: usage.completion_tokens };
    }
  }
  if (!finished) throw new Error('the stream ended before its end');
}
