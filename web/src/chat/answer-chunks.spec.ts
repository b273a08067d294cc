import { describe, expect, it } from 'vitest';
import { ApiProblem, BackendAway } from '../api/client.ts';
import { type AnswerCalls, answerChunks, type Phase } from './answer-chunks.ts';
import type { ChatChunk } from './message.ts';

const WORDS = 'The question is written down first, so that nothing is lost when a service fails.'.split(/(?<= )/);
const TEXT = WORDS.join('');
const IDS = { message_id: 'm1', conversation_id: 'c1' };
const EVENTS: ChatChunk[] = [
  { type: 'start', messageId: 'm1', messageMetadata: IDS },
  { type: 'text-start', id: 'text' },
  ...WORDS.map((delta): ChatChunk => ({ type: 'text-delta', id: 'text', delta })),
  { type: 'text-end', id: 'text' },
  { type: 'finish', messageMetadata: { ...IDS, state: 'complete' } },
];
const WIRE = EVENTS.map((event, index) => `id: ${index + 1}\ndata: ${JSON.stringify(event)}\n\n`);
const DONE = `id: ${EVENTS.length + 1}\ndata: [DONE]\n\n`;

/** The stream after an event, cut off `bytes` after its beginning; without `bytes` it is whole. */
function streamAfter(lastEventId: number, bytes?: number): Response {
  const whole = new TextEncoder().encode(WIRE.slice(lastEventId).join('') + DONE);
  if (bytes === undefined || bytes >= whole.length) return new Response(whole);
  return new Response(
    new ReadableStream({
      start: (controller) => controller.enqueue(whole.slice(0, bytes)),
      pull: (controller) => controller.error(new TypeError('network error')),
    }),
  );
}

function callsWith(calls: Partial<AnswerCalls>): AnswerCalls {
  const unexpected = () => Promise.reject(new Error('this call was not expected'));
  const nothing = () => Promise.resolve();
  return { ask: unexpected, resume: unexpected, storedTurn: unexpected, usable: nothing, wait: nothing, ...calls };
}

async function collect(calls: AnswerCalls, onPhase: (phase: Phase) => void = () => undefined): Promise<ChatChunk[]> {
  const chunks: ChatChunk[] = [];
  for await (const chunk of answerChunks(calls, { onPhase })) chunks.push(chunk);
  return chunks;
}

const textOf = (chunks: ChatChunk[]) =>
  chunks.map((chunk) => (chunk.type === 'text-delta' ? chunk.delta : '')).join('');

/** Mulberry32: the same numbers for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('answerChunks', () => {
  it('brings every chunk once, in order, over a hundred seeded series of cuts', async () => {
    const bytes = new TextEncoder().encode(WIRE.join('')).length;
    for (let seed = 1; seed <= 100; seed += 1) {
      const next = random(seed);
      const cuts = Array.from({ length: 1 + Math.floor(next() * 4) }, () => Math.floor(next() * bytes));
      const chunks = await collect(
        callsWith({
          ask: () => Promise.resolve(streamAfter(0, cuts.shift())),
          resume: (_, lastEventId) => Promise.resolve(streamAfter(lastEventId, cuts.shift())),
        }),
      );
      expect(chunks, `seed ${seed}`).toEqual(EVENTS);
    }
  });

  it('resumes behind the last whole event', async () => {
    const resumed: number[] = [];
    const firstTwo = new TextEncoder().encode(`${WIRE[0]}${WIRE[1]}`).length;
    await collect(
      callsWith({
        ask: () => Promise.resolve(streamAfter(0, firstTwo + 5)),
        resume: (_, lastEventId) => {
          resumed.push(lastEventId);
          return Promise.resolve(streamAfter(lastEventId));
        },
      }),
    );
    expect(resumed).toEqual([2]);
  });

  it('takes the rest from the stored turn where the stream is gone', async () => {
    const cut = new TextEncoder().encode(WIRE.slice(0, 6).join('')).length;
    const gone = new ApiProblem({ type: '', title: '', status: 404, code: 'not_found', detail: '', request_id: '' });
    const states = ['pending', 'partial'] as const;
    let reads = 0;
    const chunks = await collect(
      callsWith({
        ask: () => Promise.resolve(streamAfter(0, cut)),
        resume: () => Promise.reject(gone),
        storedTurn: () =>
          Promise.resolve({
            message_id: 'm1',
            created_at: '',
            question: '',
            answer: { text: TEXT, state: states[Math.min(1, reads++)] ?? 'partial', metadata: { model: 'm' } },
          }),
      }),
    );
    expect(textOf(chunks)).toBe(TEXT);
    expect(chunks.at(-1)).toEqual({ type: 'finish', messageMetadata: { model: 'm', state: 'partial' } });
  });

  it('keeps a question while the backend is away, and asks it when it is back', async () => {
    const phases: Phase[] = [];
    let tries = 0;
    const chunks = await collect(
      callsWith({
        ask: () => (++tries < 3 ? Promise.reject(new BackendAway('away')) : Promise.resolve(streamAfter(0))),
      }),
      (phase) => phases.push(phase),
    );
    expect(chunks).toEqual(EVENTS);
    expect(phases.slice(0, 2)).toEqual(['queued', 'queued']);
  });

  it('waits as long as a busy backend asks for, and gives up after six refusals', async () => {
    const waits: number[] = [];
    const details = { type: '', title: '', status: 503, code: 'auth_unreachable', detail: 'away', request_id: '' };
    const busy = new ApiProblem({ ...details, retry_after: 7 });
    const answer = collect(
      callsWith({
        ask: () => Promise.reject(busy),
        wait: (ms) => {
          waits.push(ms);
          return Promise.resolve();
        },
      }),
    );
    await expect(answer).rejects.toBe(busy);
    expect(waits).toEqual([7000, 7000, 7000, 7000, 7000]);
  });

  it('gives a refusal to the caller at once', async () => {
    const details = { type: '', title: '', status: 402, code: 'insufficient_credits', detail: '', request_id: '' };
    const refusal = new ApiProblem(details);
    await expect(collect(callsWith({ ask: () => Promise.reject(refusal) }))).rejects.toBe(refusal);
  });
});
