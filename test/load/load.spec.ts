import type { ServerResponse } from 'node:http';
import { Caudex, parseEvents, type Person, until } from '../system/caudex.js';
import { chunk, END, FakeLlm } from '../system/fake-llm.js';

const STREAMS = Number(process.env['CAUDEX_STREAMS'] ?? '200');
/** How many streams are opened at a time. */
const WAVE = 100;
/** The number of requests that the backend handles at a time; the test sends ten times that number. */
const CAPACITY = 40;
const BURST = 10 * CAPACITY;
const ANSWER_MS = 300;
const QUICK_MS = 2000;
const MIB = 2 ** 20;

describe(`load: ${STREAMS} streams (CAUDEX_STREAMS), and a burst of ten times the capacity`, () => {
  let caudex: Caudex;
  let llm: FakeLlm;

  beforeAll(async () => {
    llm = await FakeLlm.start();
    caudex = await Caudex.start({
      LLM_BASE_URL: llm.url,
      LLM_MODEL: 'fake-1',
      CAUDEX__BILLING__STARTING_CREDITS: '1000000',
      CAUDEX__SHEDDING__MAX_CONCURRENCY: String(CAPACITY),
      CAUDEX__CHAT__MAX_STREAMS_PER_USER: '10000',
      CAUDEX__CHAT__RESUME_MS: '1000',
      // As in a small container: garbage must be collected.
      NODE_OPTIONS: '--max-old-space-size=256',
    });
  }, 60_000);
  afterAll(async () => {
    await caudex.stop();
    await llm.stop();
  });

  it(
    'keeps all of them open, ends each of them whole, and gives the memory back',
    async () => {
      const person = await caudex.signUp();
      const beforeMib = await heapMib();
      for (const round of [1, 2]) {
        const peakMib = await openAndEndAll(person, round);
        await until('every turn is stored', async () => (await turns(person)).length === round * STREAMS, 120_000);
        // Garbage is collected during work; memory that is still referenced is not.
        const afterMib = await until(
          'the memory comes back',
          async () => {
            const mib = await heapMib();
            return mib < 1.4 * beforeMib && mib;
          },
          60_000,
        );
        console.log(
          `round ${round}, heap in MiB: ${beforeMib} before, ${peakMib} with ${STREAMS} streams, ${afterMib} after`,
        );
      }
      const ids = await turns(person);
      expect(new Set(ids).size).toBe(2 * STREAMS);
    },
    STREAMS * 400 + 60_000,
  );

  /** Opens all streams, lets the model send a word per second to each, and ends the answers when the last stream is open. */
  async function openAndEndAll(person: Person, round: number): Promise<number> {
    const replies = new Set<ServerResponse>();
    llm.behaviour = (_request, reply) => {
      reply.writeHead(200, { 'content-type': 'text/event-stream' });
      reply.write(chunk('Once '));
      replies.add(reply);
    };
    const talking = setInterval(() => {
      for (const reply of replies) reply.write(chunk('more '));
    }, 1000);
    const streams: Promise<string>[] = [];
    while (streams.length < STREAMS) {
      const wave = Math.min(WAVE, STREAMS - streams.length);
      for (let i = 0; i < wave; i++) streams.push(openStream(person, `round ${round}, question ${streams.length}`));
      await until('the model talks to all of them', async () => replies.size === streams.length, 60_000);
    }
    expect((await fetch(`${caudex.url}/health/ready`)).status).toBe(200);
    const peakMib = await heapMib();
    clearInterval(talking);
    for (const reply of replies) reply.end(chunk('at last.') + END);
    for (const text of await Promise.all(streams)) {
      const events = parseEvents(text).map(({ data }) => data);
      expect(events.at(-1)).toBe('[DONE]');
      const said = events.map((data) => (data === '[DONE]' ? '' : (data.delta ?? ''))).join('');
      expect(said).toMatch(/^Once (more )*at last\.$/);
    }
    return peakMib;
  }

  /** Repeats the request until it is accepted. */
  async function openStream(person: Person, message: string): Promise<string> {
    for (;;) {
      const answer = await person.request('POST', '/v1/api/chat', JSON.stringify({ message, stream: true }), {
        'content-type': 'application/json',
        // Thousands of idle connections would be kept for a minute, which is not a leak.
        connection: 'close',
      });
      if (answer.status === 200) return answer.text();
      expect(answer.status).toBe(503);
      await answer.text();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  it('answers accepted requests of a burst, refuses the rest quickly, and loses nothing', async () => {
    const people = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const person = await caudex.signUp();
        const project = await person.project();
        await person.upload(project, 'pears.md', '# Pears\n\nWilliams pears ripen first.');
        await until('it is indexed', async () => (await person.search(project, 'pears')).source === 'hybrid');
        return { person, project };
      }),
    );
    const somebody = (index: number) => people[index % people.length] as (typeof people)[number];
    llm.behaviour = (_request, reply) =>
      void setTimeout(() => {
        reply.writeHead(200, { 'content-type': 'text/event-stream' });
        reply.end(chunk('Yes.') + END);
      }, ANSWER_MS);
    const answers = await Promise.all(
      Array.from({ length: BURST }, async (_, index) => {
        const beganMs = performance.now();
        const { person, project } = somebody(index);
        const body = JSON.stringify({ message: `pears ${index}?`, project_id: project });
        const answer = await person.request('POST', '/v1/api/chat', body, { 'content-type': 'application/json' });
        const { message_id, code } = (await answer.json()) as { message_id?: string; code?: string };
        const retryAfter = answer.headers.get('retry-after');
        return { status: answer.status, message_id, code, retryAfter, ms: performance.now() - beganMs };
      }),
    );
    const taken = answers.filter(({ status }) => status === 200);
    const refused = answers.filter(({ status }) => status !== 200);
    expect(taken.length).toBeGreaterThanOrEqual(CAPACITY);
    expect(refused.length).toBeGreaterThan(0);
    for (const { status, code, retryAfter } of refused) {
      expect({ status, code, retryAfter }).toEqual({ status: 503, code: 'overloaded', retryAfter: '1' });
    }
    const slowest = Math.max(...refused.map(({ ms }) => ms));
    console.log(
      `burst of ${BURST}: ${taken.length} answered, ${refused.length} refused within ${slowest.toFixed(0)} ms`,
    );
    expect(slowest).toBeLessThan(QUICK_MS);
    const stored = async () => (await Promise.all(people.map(({ person }) => turns(person)))).flat();
    await until('every turn is stored', async () => (await stored()).length >= taken.length, 60_000);
    expect((await stored()).sort()).toEqual(taken.map(({ message_id }) => message_id).sort());
    const { person, project } = somebody(0);
    expect(await person.chat(project, 'pears?')).toMatchObject({ status: 200, degraded: false });
  }, 90_000);

  /** The message ids of all charges: one charge a turn. */
  async function turns(person: Person): Promise<string[]> {
    const ids: string[] = [];
    for (let offset = 0; ; offset += 1000) {
      const { conversations } = await person.get<{ conversations: { turns: number }[] }>(
        `/v1/api/conversations?limit=1000&offset=${offset}`,
      );
      const { rows } = await person.get<{ rows: { kind: string; message_id: string }[] }>(
        `/v1/api/billing/usage?limit=1000&offset=${offset}`,
      );
      expect(conversations.every((conversation) => conversation.turns === 1)).toBe(true);
      ids.push(...rows.filter(({ kind }) => kind === 'capture').map(({ message_id }) => message_id));
      if (rows.length < 1000) return ids;
    }
  }

  async function heapMib(): Promise<number> {
    const text = await (await fetch(`${caudex.url}/metrics`)).text();
    return Math.round(Number(/^nodejs_heap_size_used_bytes (.+)$/m.exec(text)?.[1]) / MIB);
  }
});
