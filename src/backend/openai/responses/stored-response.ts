import { z } from 'zod';
import type { StoredTurn } from '../../../downstream/filesystem/filesystem.contract.js';
import type { ChatSummary } from '../../chat/chat-events.js';
import { idOf, type TurnId } from './response-id.js';
import { ending, ResponseWriter } from './response-writer.js';
import type { ResponseObject } from './responses.schema.js';

/** The metadata of a turn that a response shows. */
const keptSchema = z.looseObject({
  sources: z.array(
    z.object({ document: z.string(), chunk: z.int(), title: z.string(), text: z.string(), score: z.number() }),
  ),
  usage: z.object({ prompt_tokens: z.int(), completion_tokens: z.int(), credits: z.int() }),
});

/** A stored turn as a response; one that is still being written has no output yet. */
export function storedResponse(model: string, id: TurnId, turn: StoredTurn): ResponseObject {
  const { parent_id } = turn;
  const previous = typeof parent_id === 'string' ? idOf('resp', { ...id, message_id: parent_id }) : undefined;
  const writer = new ResponseWriter({ model, input: turn.question, previous_response_id: previous }, id);
  writer.response.created_at = Math.floor(Date.parse(turn.created_at) / 1000);
  const kept = keptSchema.safeParse(turn.answer.metadata);
  const { text, state, finish_reason = 'stop' } = turn.answer;
  if (!kept.success || state === 'pending') return writer.response;
  const sources = kept.data.sources.map((caudex) => ({
    type: 'source-document' as const,
    ...NAMELESS,
    providerMetadata: { caudex },
  }));
  for (const source of sources) drain(writer.events(source));
  if (text !== '') {
    drain(writer.events({ type: 'text-start', id: 'text' }));
    drain(writer.events({ type: 'text-delta', id: 'text', delta: text }));
    drain(writer.events({ type: 'text-end', id: 'text' }));
  }
  // The turn was written by `Answering`, so its metadata are the summary.
  const summary = { ...kept.data, finish_reason } as unknown as ChatSummary;
  return Object.assign(writer.response, ending(summary));
}

const NAMELESS = { sourceId: '', mediaType: 'text/plain', title: '', filename: '' };

function drain(events: Generator<unknown>): void {
  for (const _ of events);
}
