import type { ChatEvent, ChatSource, ChatSummary } from '../../chat/chat-events.js';
import { citationsOf } from '../url-citations.js';
import { idOf, type TurnId } from './response-id.js';
import type { OutputItem, ResponseObject, ResponsesRequest } from './responses.schema.js';

/** An event of the stream, before it gets its number. */
export type ResponseEvent = { type: string } & Record<string, unknown>;

/** Converts the events of a chat to those of the Responses API, and to the response itself. */
export class ResponseWriter {
  readonly response: ResponseObject;
  private readonly sources: ChatSource[] = [];
  private open: OutputItem | undefined;
  private text = '';

  constructor(
    request: ResponsesRequest,
    private readonly turn: TurnId,
  ) {
    this.response = begun(request, turn);
  }

  *begin(): Generator<ResponseEvent> {
    yield { type: 'response.created', response: this.response };
    yield { type: 'response.in_progress', response: this.response };
  }

  *events(event: ChatEvent): Generator<ResponseEvent> {
    switch (event.type) {
      case 'source-document':
        this.sources.push(event.providerMetadata.caudex);
        return;
      case 'reasoning-start':
        yield* this.beginItem('reasoning');
        return;
      case 'text-start':
        yield* this.beginItem('message');
        return;
      case 'reasoning-delta':
        yield* this.add('response.reasoning_text.delta', event.delta);
        return;
      case 'text-delta':
        yield* this.add('response.output_text.delta', event.delta);
        return;
      case 'reasoning-end':
      case 'text-end':
        yield* this.endItem();
        return;
      case 'data-retraction':
        this.retract();
        return;
      case 'finish':
        yield* this.endItem();
        yield this.finish(event.messageMetadata);
    }
  }

  /** The events for a chat that ended without its last event, or failed; none for one that has ended. */
  *breakOff(error: { code: string; message: string } = BROKEN): Generator<ResponseEvent> {
    if (this.response.status !== 'in_progress') return;
    yield* this.endItem();
    Object.assign(this.response, { status: 'failed', error });
    yield { type: 'response.failed', response: this.response };
  }

  private *beginItem(type: OutputItem['type']): Generator<ResponseEvent> {
    yield* this.endItem();
    this.text = '';
    const common = { type, status: 'in_progress', content: [] };
    this.open =
      type === 'message'
        ? { ...common, id: idOf('msg', this.turn), role: 'assistant' }
        : { ...common, id: idOf('rs', this.turn), summary: [] };
    this.response.output.push(this.open);
    yield { type: 'response.output_item.added', output_index: this.place, item: { ...this.open } };
    yield { type: 'response.content_part.added', ...this.at(), part: this.part() };
  }

  private *add(type: string, delta: string): Generator<ResponseEvent> {
    this.text += delta;
    const isText = this.open?.type === 'message';
    yield { type, ...this.at(), delta, ...(isText ? { logprobs: [] } : {}) };
  }

  private *endItem(): Generator<ResponseEvent> {
    const item = this.open;
    if (item === undefined) return;
    const part = this.part();
    for (const [annotation_index, annotation] of (part.annotations ?? []).entries()) {
      yield { type: 'response.output_text.annotation.added', ...this.at(), annotation_index, annotation };
    }
    const isText = item.type === 'message';
    const done = isText ? 'response.output_text.done' : 'response.reasoning_text.done';
    yield { type: done, ...this.at(), text: this.text, ...(isText ? { logprobs: [] } : {}) };
    yield { type: 'response.content_part.done', ...this.at(), part };
    item.content = [part];
    item.status = 'completed';
    yield { type: 'response.output_item.done', output_index: this.place, item };
    this.open = undefined;
  }

  /** The events were sent already; the response at the end lists the text as reasoning. */
  private retract(): void {
    const { output } = this.response;
    for (const [index, item] of output.entries()) {
      if (item.type !== 'message') continue;
      const content = item.content.map(({ text }) => ({ type: 'reasoning_text', text }));
      output[index] = { type: 'reasoning', id: idOf('rs', this.turn), status: 'completed', summary: [], content };
    }
  }

  private finish(summary: ChatSummary): ResponseEvent {
    const { response } = this;
    Object.assign(response, ending(summary));
    for (const item of response.output) if (response.status !== 'completed') item.status = 'incomplete';
    const type = response.status === 'cancelled' ? 'incomplete' : response.status;
    return { type: `response.${type}`, response };
  }

  private part() {
    if (this.open?.type === 'reasoning') return { type: 'reasoning_text', text: this.text };
    const annotations = citationsOf(this.text, { sources: this.sources }).map((citation) => ({
      type: 'url_citation' as const,
      ...citation,
    }));
    return { type: 'output_text', text: this.text, annotations, logprobs: [] };
  }

  private get place(): number {
    return this.response.output.length - 1;
  }

  private at() {
    return { item_id: this.open?.id, output_index: this.place, content_index: 0 };
  }
}

function begun(request: ResponsesRequest, turn: TurnId): ResponseObject {
  const { model, instructions, previous_response_id, temperature, top_p, max_output_tokens, text, reasoning } = request;
  return {
    id: idOf('resp', turn),
    object: 'response',
    created_at: Math.floor(Date.now() / 1000),
    status: 'in_progress',
    error: null,
    incomplete_details: null,
    instructions: instructions ?? null,
    max_output_tokens: max_output_tokens ?? null,
    model,
    output: [],
    parallel_tool_calls: true,
    previous_response_id: previous_response_id ?? null,
    conversation: { id: turn.conversation_id },
    reasoning: { effort: reasoning?.effort ?? null, summary: null },
    // Every turn is stored in the user's conversations, whatever `store` says.
    store: true,
    temperature: temperature ?? null,
    text: { format: text?.format ?? { type: 'text' } },
    tool_choice: 'auto',
    tools: [],
    top_p: top_p ?? null,
    truncation: 'disabled',
    usage: null,
    user: request.user ?? null,
    metadata: request.metadata ?? {},
  };
}

const BROKEN = { code: 'server_error', message: 'The answer broke off.' };

type Ending = Pick<ResponseObject, 'status' | 'error' | 'incomplete_details' | 'usage' | 'caudex'>;

/** How a response ended, in the terms of the Responses API. */
export function ending(summary: ChatSummary): Ending {
  const { finish_reason, usage } = summary;
  const told = { error: null, incomplete_details: null, usage: usageOf(usage), caudex: { ...summary } };
  switch (finish_reason) {
    case 'stop':
      return { ...told, status: 'completed' };
    case 'length':
      return { ...told, status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } };
    case 'content_filter':
      return { ...told, status: 'incomplete', incomplete_details: { reason: 'content_filter' } };
    case 'cancelled':
      return { ...told, status: 'cancelled' };
    case 'error':
      return { ...told, status: 'failed', error: BROKEN };
  }
}

function usageOf({ prompt_tokens, completion_tokens }: ChatSummary['usage']) {
  return {
    input_tokens: prompt_tokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: completion_tokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: prompt_tokens + completion_tokens,
  };
}
