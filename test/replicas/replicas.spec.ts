import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { hasPostgres } from '../../src/storage/postgres/testing/postgres-server.js';
import { type Caudex, Person, until } from '../system/caudex.js';
import { chunk, END, FakeLlm, type LlmRequest } from '../system/fake-llm.js';
import { chargesOf, historyOf, pathsOf, repeated, turnsOf } from './ledger.js';
import { type Answered, type Failure, SteadyLoad } from './steady-load.js';
import { type Replica, TwoOfEverything } from './two-of-everything.js';

/** Named by `.ci/replicas`, because the load needs the machine for itself. */
const HAPROXY = process.env['HAPROXY'];
const PER_USER = 600;
const MAX_STREAMS = 20;
const WORDS = 20;
const WORD_MS = 100;
/** How long the load runs before, while and after a process is away. */
const CALM_MS = 2000;
const AWAY_MS = 2000;
const DRAIN_LIMIT_MS = 60_000;

const missing = [
  ...(HAPROXY === undefined ? ['HAPROXY, which names a haproxy, is not set'] : []),
  ...(hasPostgres() ? [] : ['PostgreSQL is not installed']),
  ...(spawnSync('redis-server', ['--version']).error === undefined ? [] : ['redis-server is not on the PATH']),
];
if (missing.length > 0) process.stderr.write(`two of everything: skipped, because ${missing.join(' and ')}\n`);

/** The answer of the model: words that only this question has. */
const answerTo = (question: string) =>
  Array.from({ length: WORDS }, (_, n) => `${/harbour (\w{8})/.exec(question)?.[1]}x${n}`).join(' ');

async function speak({ messages }: LlmRequest, reply: ServerResponse): Promise<void> {
  reply.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const word of answerTo(messages.at(-1)?.content.match(/What about harbour .*$/m)?.[0] ?? '').split(/(?<= )/)) {
    reply.write(chunk(word));
    await sleep(WORD_MS);
  }
  reply.end(END);
}

(missing.length === 0 ? describe : describe.skip)('two of everything behind HAProxy', () => {
  let llm: FakeLlm;
  let two: TwoOfEverything;
  let load: SteadyLoad;
  let people: { person: Person; project: string }[];

  beforeAll(async () => {
    llm = await FakeLlm.start();
    llm.behaviour = speak;
    two = await TwoOfEverything.start(HAPROXY as string, {
      ...{ LLM_BASE_URL: llm.url, LLM_MODEL: 'test' },
      CAUDEX__BILLING__STARTING_CREDITS: '1000000',
      CAUDEX__CHAT__MAX_STREAMS_PER_USER: String(MAX_STREAMS),
      CAUDEX__RATE_LIMIT__ENABLED: 'true',
      CAUDEX__RATE_LIMIT__PER_USER: String(PER_USER),
      CAUDEX__RATE_LIMIT__PER_ADDRESS: '1000000',
    });
  }, 180_000);
  afterAll(async () => {
    await two?.stop();
    await llm.stop();
  }, 60_000);

  beforeEach(async () => {
    load = new SteadyLoad();
    people = [];
    for (let n = 0; n < 6; n++) {
      const person = await two.signUp();
      const project = await person.project();
      await person.upload(project, 'first.md', 'The harbour is full of ships.');
      people.push({ person, project });
    }
    load.start(people);
    await sleep(CALM_MS);
  }, 60_000);

  it('lose and repeat nothing while each process is killed in turn', async () => {
    const kills: { replica: Replica; atMs: number; backMs: number }[] = [];
    for (const replica of two.replicas) {
      const atMs = performance.now();
      await replica.caudex.kill(replica.app);
      await sleep(AWAY_MS);
      await two.launch(replica);
      kills.push({ replica, atMs, backMs: performance.now() });
      await sleep(CALM_MS);
    }
    await two.redis.stop();
    await sleep(AWAY_MS);
    await two.redis.start();
    await sleep(CALM_MS);
    await load.stop();

    const isExcused = ({ repeatable, beganMs, endedMs }: Failure) =>
      !repeatable && kills.some(({ replica, atMs }) => replica.app === 'backend' && beganMs < atMs && atMs < endedMs);
    told('kills', load);
    expect(load.failures.filter((failure) => !isExcused(failure))).toEqual([]);
    expect(load.degraded).toEqual([]);
    expect(load.resumed).toBeGreaterThan(0);
    await nothingIsLostOrRepeated();
  }, 600_000);

  it('fail no request while all processes are restarted, one after the other', async () => {
    for (const replica of two.replicas) {
      await replica.caudex.kill(replica.app, 'SIGTERM');
      expect(replica.caudex.exitCode(replica.app)).toBe(0);
      await two.launch(replica);
      await sleep(CALM_MS);
    }
    await load.stop();
    told('rolling restart', load);
    expect(load.failures).toEqual([]);
    expect(load.degraded).toEqual([]);
    expect(load.answered.filter(({ end }) => end === 'error')).toEqual([]);
    await nothingIsLostOrRepeated();
  }, 600_000);

  it('fill a chroma and a git server that lost their folders, while the others answer', async () => {
    for (const app of ['chroma', 'git'] as const) {
      const { b } = two;
      await b.kill(app);
      await rm(join(b.dataDir, app), { recursive: true });
      await b.launch(app);
      await sleep(CALM_MS);
    }
    await load.stop();
    told('lost folders', load);
    expect(load.failures).toEqual([]);
    expect(load.degraded).toEqual([]);
    await nothingIsLostOrRepeated();
  }, 300_000);

  it('count requests together, also while one of them is killed', async () => {
    await load.stop();
    const person = await two.signUp();
    const statuses: number[] = [];
    const backend = two.replicas.find(({ app }) => app === 'backend') as Replica;
    let killing: Promise<void> | undefined;
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        while (statuses.length < PER_USER + 50) {
          if (statuses.length >= PER_USER / 2) killing ??= backend.caudex.kill('backend');
          statuses.push((await person.request('GET', '/v1/api/auth/check')).status);
        }
      }),
    );
    await killing;
    await two.launch(backend);
    const taken = statuses.filter((status) => status === 200).length;
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
    // A request that was counted by the killed backend and repeated by HAProxy counted twice.
    expect(taken).toBeLessThanOrEqual(PER_USER);
    expect(taken).toBeGreaterThanOrEqual(PER_USER - 8);
  }, 120_000);

  it('count the open streams of a user together', async () => {
    await load.stop();
    const person = await two.signUp();
    const gone = new AbortController();
    const open = async (n: number, { signal }: AbortController) => {
      const { url } = n % 2 === 0 ? two.a : two.b;
      const headers = { authorization: `Bearer ${person.token}` };
      return (await fetch(`${url}/v1/api/status/stream`, { headers, signal })).status;
    };
    const statuses: number[] = [];
    for (let n = 0; n < MAX_STREAMS + 4; n++) statuses.push(await open(n, gone));
    expect(statuses.filter((status) => status === 200)).toHaveLength(MAX_STREAMS);
    expect(statuses.slice(-4)).toEqual([429, 429, 429, 429]);
    gone.abort();
    const again = new AbortController();
    await until('there is room again', async () => (await open(1, again)) === 200);
    again.abort();
  }, 60_000);

  it('tell each other that a service is down', async () => {
    await load.stop();
    const { person, project } = people[0] as (typeof people)[0];
    const searchAt = ({ url }: Caudex) => new Person(url, person.token).search(project, `harbour ${Math.random()}`);
    const openAt = async (caudex: Caudex) => (await caudex.breaker('chroma')).state !== 'closed';
    await Promise.all([two.a, two.b].map((caudex) => until('it works', async () => !(await openAt(caudex)))));
    const chromas = two.replicas.filter(({ app }) => app === 'chroma');
    await Promise.all(chromas.map(({ caudex }) => caudex.kill('chroma')));
    await until('the breaker of one is open', async () => {
      await searchAt(two.a);
      return openAt(two.a);
    });
    expect(await searchAt(two.b)).toMatchObject({ source: 'fulltext', degraded: true });
    expect(two.b.output.join('')).toContain(
      '[Chroma Server] Circuit breaker OPEN (it failed here too, as at another process)',
    );
    await Promise.all(chromas.map((chroma) => two.launch(chroma)));
    for (const caudex of [two.a, two.b]) {
      await until('the breaker is closed', async () => {
        await searchAt(caudex);
        return !(await openAt(caudex));
      });
    }
  }, 120_000);

  /** Compares what was acknowledged with what is stored. */
  async function nothingIsLostOrRepeated(): Promise<void> {
    const isDrained = async () => Object.keys(await two.outbox()).length === 0;
    await until('the outbox is empty', isDrained, DRAIN_LIMIT_MS);
    const areEqual = async () => (await two.inventories()).every(([one, other]) => isDeepStrictEqual(one, other));
    await until('both chroma and both git servers have the same', areEqual, DRAIN_LIMIT_MS);
    await until('the outbox is empty', isDrained, DRAIN_LIMIT_MS);
    for (const { person, project } of people) {
      const own = <T extends { person: Person }>(all: readonly T[]) => all.filter((one) => one.person === person);
      await turnsAreRight(person, own(load.answered));
      const paths = await pathsOf(person, project);
      expect(repeated(paths)).toEqual([]);
      expect(paths.filter((path) => path !== 'first.md' && !load.asked.has(path))).toEqual([]);
      const versions = await historyOf(person, project);
      expect(repeated(versions.map(({ version }) => version))).toEqual([]);
      expect(versions.map(({ path }) => path).toSorted()).toEqual(paths.toSorted());
      for (const { path, text } of own(load.uploaded)) {
        const answer = await person.request('GET', `/v1/api/projects/${project}/documents/${path}`);
        expect(await answer.text()).toBe(text);
      }
    }
  }

  async function turnsAreRight(person: Person, answered: readonly Answered[]): Promise<void> {
    const turns = await turnsOf(person);
    const charges = await chargesOf(person);
    expect(repeated(turns.map(({ message_id }) => message_id))).toEqual([]);
    expect(repeated(charges)).toEqual([]);
    expect(turns.filter(({ question }) => !load.asked.has(question))).toEqual([]);
    const stored = new Map(turns.map((turn) => [turn.message_id, turn]));
    for (const { messageId, question, text, end } of answered) {
      const turn = stored.get(messageId);
      expect(turn?.question).toBe(question);
      if (end === 'error') {
        expect(answerTo(question).startsWith(text)).toBe(true);
        expect(answerTo(question).startsWith(turn?.answer.text ?? 'none')).toBe(true);
        expect(turn?.answer.state).not.toBe('complete');
        continue;
      }
      expect(text).toBe(answerTo(question));
      expect(turn?.answer).toMatchObject({ state: 'complete', text });
      expect(charges).toContain(messageId);
    }
  }
});

function told(what: string, { requests, failures, degraded, resumed, answered }: SteadyLoad): void {
  const sent = Object.entries(requests).map(([kind, count]) => `${count} ${kind}`);
  const ended = answered.filter(({ end }) => end === 'error').length;
  process.stderr.write(
    `${what}: ${sent.join(', ')}; ${failures.length} failed, ${degraded.length} searches degraded; ${resumed} connections of streams resumed, ${ended} streams ended with an error\n`,
  );
}
