import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Caudex, type ChatAnswer, type Degraded, Person, type SearchAnswer, until } from '../system/caudex.js';
import { FakeLlm, says } from '../system/fake-llm.js';
import { type Fault, FaultProxy, FAULTS } from './fault-proxy.js';
import { outcomeOf, renderMatrix, type Row } from './matrix-page.js';

const SERVICES = ['auth', 'filesystem', 'chroma', 'billing', 'git', 'llm'] as const;
type Service = (typeof SERVICES)[number];

/** A fifth or less of the times of config/default.yaml; `slow` stands for 3 s. */
const SLOW_MS = 500;
const SETTINGS = {
  CAUDEX__SESSION__FRESH_MS: '0',
  CAUDEX__CHAT__CONTEXT_BUDGET_MS: '1000',
  CAUDEX__SEARCH__CONTEXT_BUDGET_MS: '1000',
  CAUDEX__SEARCH__FULLTEXT_AFTER_MS: '60',
  CAUDEX__CHAT__SAVE_WAIT_MS: '350',
  CAUDEX__DOCUMENTS__INDEX_WAIT_MS: '1000',
  CAUDEX__OUTBOX__RETRY_BASE_MS: '50',
  CAUDEX__OUTBOX__RETRY_MAX_MS: '1000',
  CAUDEX__BILLING__STARTING_CREDITS: '1000000',
  CAUDEX__DOWNSTREAM__AUTH__TIMEOUT_MS: '1000',
  CAUDEX__DOWNSTREAM__FILESYSTEM__TIMEOUT_MS: '1500',
  CAUDEX__DOWNSTREAM__CHROMA__TIMEOUT_MS: '3000',
  CAUDEX__DOWNSTREAM__BILLING__TIMEOUT_MS: '1000',
  CAUDEX__DOWNSTREAM__BILLING__FAILURE_THRESHOLD: '5',
  CAUDEX__DOWNSTREAM__GIT__TIMEOUT_MS: '1500',
  CAUDEX__DOWNSTREAM__LLM__TIMEOUT_MS: '1000',
  CAUDEX__DOWNSTREAM__LLM__IDLE_TIMEOUT_MS: '500',
  ...Object.fromEntries(
    SERVICES.flatMap((service) => [
      [`CAUDEX__DOWNSTREAM__${service.toUpperCase()}__RETRY_BASE_MS`, '30'],
      [`CAUDEX__DOWNSTREAM__${service.toUpperCase()}__RECOVERY_TIMEOUT_MS`, '200'],
    ]),
  ),
};
/** The limit for every answer: the longest wait is two attempts of the model to its first token. */
const BOUND_MS = 4000;
const QUESTION = 'When do pears ripen?';
const PAGE = join(import.meta.dirname, '../../docs/faults.md');

/** The reason of a failed attempt. */
const REASON: Partial<Record<Fault, string>> = {
  refused: 'unreachable',
  'reset before the answer': 'unreachable',
  'reset in mid-body': 'unreachable',
  'hang before headers': 'timeout',
  'hang in mid-body': 'timeout',
  '500': 'fault',
  '503 with Retry-After': 'fault',
  'garbage JSON': 'protocol',
  'JSON of the wrong shape': 'protocol',
  'cut-off stream': 'unreachable',
};
const HANGS: readonly Fault[] = ['hang before headers', 'hang in mid-body'];
const AFTER_FIRST_TOKEN: readonly Fault[] = ['reset in mid-body', 'hang in mid-body', 'cut-off stream'];

const HEALTHY = { status: 200, source: 'hybrid', degradation: [] as Degraded['degradation'] };
const HEALTHY_CHAT = { ...HEALTHY, model: 'fake-1', state: 'complete', saved: 'stored' };

/** The behaviour that is required. */
function expected(service: Service, fault: Fault): { search: object; chat: object } {
  const reason = REASON[fault];
  const healthy = { search: HEALTHY, chat: HEALTHY_CHAT };
  const worked = (fallback: string, why = reason) => ({ degradation: [{ service, reason: why, fallback }] });
  if (service === 'filesystem' && (fault === 'slow' || HANGS.includes(fault))) {
    // No attempt has failed when the caller gets the answer; the turn is still being delivered.
    return { search: HEALTHY, chat: { ...HEALTHY_CHAT, saved: 'queued' } };
  }
  if (service === 'git' && fault === 'slow') {
    return { search: HEALTHY, chat: { ...HEALTHY_CHAT, ...worked('none', 'deadline') } };
  }
  if (reason === undefined) return healthy;
  switch (service) {
    case 'auth':
      return { search: { ...HEALTHY, ...worked('grace') }, chat: { ...HEALTHY_CHAT, ...worked('grace') } };
    case 'filesystem':
      return { search: HEALTHY, chat: { ...HEALTHY_CHAT, saved: 'queued', ...worked('outbox') } };
    case 'chroma': {
      // The budget of the passages ends before the attempt's own limit.
      const fallback = { source: 'fulltext', ...worked('fulltext', reason === 'timeout' ? 'deadline' : reason) };
      return { search: { ...HEALTHY, ...fallback }, chat: { ...HEALTHY_CHAT, ...fallback } };
    }
    case 'billing':
      return { search: HEALTHY, chat: { ...HEALTHY_CHAT, ...worked('outbox') } };
    case 'git':
      // The graph has a budget of its own, shorter than the attempt's limit.
      return {
        search: HEALTHY,
        chat: { ...HEALTHY_CHAT, ...worked('none', reason === 'timeout' ? 'deadline' : reason) },
      };
    case 'llm':
      return {
        search: HEALTHY,
        chat: AFTER_FIRST_TOKEN.includes(fault)
          ? { ...HEALTHY_CHAT, state: 'partial', ...worked('none') }
          : { ...HEALTHY_CHAT, model: 'extractive', ...worked('extractive') },
      };
  }
}

describe('faults of every service', () => {
  let caudex: Caudex;
  let llm: FakeLlm;
  let person: Person;
  let project: string;
  const proxies = {} as Record<Service, FaultProxy>;
  const unknownTokens: string[] = [];
  const asked: ChatAnswer[] = [];
  const uploaded: string[] = [];
  const rows: Row[] = [];

  beforeAll(async () => {
    llm = await FakeLlm.start();
    llm.behaviour = says('They ripen in September, the earliest of them first [1].');
    const ports: Partial<Record<Service, number>> = { llm: Number(new URL(llm.url).port) };
    const target = (service: Service) => () => ports[service] as number;
    for (const service of SERVICES) {
      proxies[service] = await FaultProxy.start(target(service), SLOW_MS, service === 'llm');
    }
    const urls = SERVICES.filter((service) => service !== 'llm').map((service) => [
      `${service.toUpperCase()}_SERVER_URL`,
      proxies[service].url,
    ]);
    caudex = await Caudex.start({
      ...SETTINGS,
      ...(Object.fromEntries(urls) as Record<string, string>),
      LLM_BASE_URL: `${proxies.llm.url}/v1`,
      LLM_MODEL: 'fake-1',
    });
    Object.assign(ports, caudex.ports);
    const email = 'asker@example.org';
    person = await caudex.signUp(email);
    for (const _ of FAULTS) {
      const stranger = new Person(caudex.url, '');
      const { token } = await stranger.post<{ token: string }>('/v1/api/auth/login', {
        email,
        password: 'correct horse battery',
      });
      unknownTokens.push(token);
    }
    project = await person.project();
    await person.upload(project, 'pears.md', '# Pears\n\nWilliams pears ripen first, in September.');
    // More than fit into an answer, so that the graph is queried for related ones.
    for (const kind of ['Comice', 'Conference', 'Bosc', 'Anjou', 'Concorde', 'Forelle', 'Seckel', 'Abate', 'Packham']) {
      await person.upload(project, `${kind}.md`, `# ${kind}\n\n${kind} pears ripen ${kind.length} weeks later.`);
    }
    await until('the document is indexed', async () => (await person.search(project, 'pears')).source === 'hybrid');
  }, 60_000);
  afterAll(async () => {
    await caudex.stop();
    await Promise.all(Object.values(proxies).map((proxy) => proxy.stop()));
    await llm.stop();
  });

  /** One ordinary request that needs the service. */
  async function use(service: Service): Promise<void> {
    if (service === 'llm') asked.push(await person.chat(project, QUESTION));
    else if (service === 'chroma') await person.search(project, 'pears');
    else await (await person.request('GET', ordinary(service))).text();
  }
  function ordinary(service: Exclude<Service, 'llm' | 'chroma'>): string {
    return {
      auth: '/v1/api/auth/check',
      filesystem: '/v1/api/conversations',
      billing: '/v1/api/billing/balance',
      git: `/v1/api/projects/${project}/history`,
    }[service];
  }

  async function recover(service: Service): Promise<void> {
    await proxies[service].heal();
    await until(`the breaker of ${service} closes`, async () => {
      await use(service);
      const { state, failure_count } = await caudex.breaker(service);
      return state === 'closed' && failure_count === 0 && !(await isOwed(service));
    });
  }

  /** Whether a delivery still waits for a service: sent during the next fault, it would count as a failure there. */
  async function isOwed(service: Service): Promise<boolean> {
    const topic = { filesystem: 'turn', billing: 'charge', git: 'commit' }[service as string];
    if (topic === undefined) return false;
    const metrics = await (await fetch(`${caudex.url}/metrics`)).text();
    return metrics.split('\n').some((line) => line.startsWith(`caudex_outbox_entries{topic="${topic}"`));
  }

  async function timed<T>(work: Promise<T>): Promise<T> {
    const beganMs = performance.now();
    const result = await work;
    expect(performance.now() - beganMs).toBeLessThan(BOUND_MS);
    return result;
  }

  const ASK = {
    search: (): Promise<SearchAnswer> => person.search(project, 'pears'),
    chat: async (): Promise<ChatAnswer> => {
      const answer = await person.chat(project, QUESTION);
      asked.push(answer);
      return answer;
    },
    stream: async (): Promise<ChatAnswer> => {
      const events = await person.chatStream(project, QUESTION);
      expect(events.at(-1)?.data).toBe('[DONE]');
      const finish = events.map(({ data }) => data).find((data) => data !== '[DONE]' && data.type === 'finish');
      const answer = (finish as { messageMetadata: ChatAnswer }).messageMetadata;
      asked.push(answer);
      return answer;
    },
  };

  describe.each(SERVICES)('%s', (service) => {
    it.each(FAULTS)(
      '%s',
      async (fault) => {
        const want = expected(service, fault);
        const row: Row = { service, fault, search: '', chat: '', stream: '', unknown: '', breaker: '' };
        for (const kind of ['search', 'chat', 'stream'] as const) {
          await proxies[service].suffer(fault);
          const answer = { status: 200, ...(await timed<SearchAnswer | ChatAnswer>(ASK[kind]())) };
          expect({ kind, ...answer }).toMatchObject({ kind, ...(kind === 'search' ? want.search : want.chat) });
          expect(answer.degraded).toBe(answer.degradation.length > 0);
          row[kind] = outcomeOf(answer);
          await recover(service);
        }
        await proxies[service].suffer(fault);
        if (service === 'auth') row.unknown = await askAsStranger(fault);
        if (service === 'git') await uploadWithoutHistory(fault);
        row.breaker = await breakerUnder(service, fault);
        await recover(service);
        expect(await ASK.search()).toMatchObject({ source: 'hybrid', degraded: false });
        rows.push(row);
      },
      40_000,
    );
  });

  /** Auth has no fallback for an unknown token: it gets 503, never 401. */
  async function askAsStranger(fault: Fault): Promise<string> {
    const token = unknownTokens[FAULTS.indexOf(fault)] as string;
    const answer = await timed(new Person(caudex.url, token).request('GET', '/v1/api/auth/check'));
    const body = (await answer.json()) as { code?: string; retry_after?: number };
    if (fault === 'slow') {
      expect(answer.status).toBe(200);
      return '200';
    }
    expect({ status: answer.status, ...body }).toMatchObject({ status: 503, code: 'auth_unavailable' });
    expect(Number(answer.headers.get('retry-after'))).toBe(body.retry_after);
    expect(body.retry_after).toBeGreaterThanOrEqual(1);
    return '503 `auth_unavailable`, Retry-After';
  }

  /** While git fails, an upload is stored and searchable, and its commit is made later. */
  async function uploadWithoutHistory(fault: Fault): Promise<void> {
    const { version, indexed } = await timed(person.upload(project, `notes/${fault}.md`, `A note on ${fault}.`));
    expect(indexed).toBe('done');
    uploaded.push(version);
  }

  /** The breaker opens after five failures of any kind; then the answer comes without the service. */
  async function breakerUnder(service: Service, fault: Fault): Promise<string> {
    if (fault === 'slow') {
      await use(service);
      expect(await caudex.breaker(service)).toMatchObject({ state: 'closed', failure_count: 0 });
      return 'closed';
    }
    await until(`the breaker of ${service} opens`, async () => {
      await Promise.all([1, 2, 3].map(() => use(service)));
      return (await caudex.breaker(service)).state !== 'closed';
    });
    return 'opens';
  }

  it('falls back from Chroma to full text and the cache, and reports when there is nothing', async () => {
    await person.search(project, 'williams pears');
    await Promise.all([proxies.chroma.suffer('refused'), proxies.filesystem.suffer('500')]);
    expect(await timed(person.search(project, 'Williams  Pears'))).toMatchObject({
      source: 'cache',
      outcome: 'found',
      degradation: [
        { service: 'chroma', reason: 'unreachable', fallback: 'fulltext' },
        { service: 'filesystem', reason: 'fault', fallback: 'cache' },
      ],
    });
    expect(await timed(person.search(project, 'never asked before'))).toMatchObject({
      source: 'none',
      outcome: 'unavailable',
      results: [],
    });
    await recover('filesystem');
    await recover('chroma');
  }, 30_000);

  it('stores every turn and every charge once, and a commit for every upload', async () => {
    expect(asked.length).toBeGreaterThan(100);
    await until(
      'every charge arrived',
      async () => (await usage()).filter(({ kind }) => kind === 'capture').length >= asked.length,
    );
    const rowsByMessage = Map.groupBy(
      (await usage()).filter(({ kind }) => kind === 'capture'),
      ({ message_id }) => message_id,
    );
    for (const { message_id, conversation_id } of asked) {
      const { turns } = await person.get<{ turns: { message_id: string; question: string }[] }>(
        `/v1/api/conversations/${conversation_id}`,
      );
      expect(turns).toMatchObject([{ message_id, question: QUESTION }]);
      expect(rowsByMessage.get(message_id)).toHaveLength(1);
    }
    await until('every commit arrived', async () => {
      const { versions } = await person.get<{ versions: { version: string }[] }>(
        `/v1/api/projects/${project}/history?limit=1000`,
      );
      return uploaded.every((version) => versions.filter((one) => one.version === version).length === 1);
    });
  }, 60_000);

  async function usage(): Promise<{ message_id: string; kind: string }[]> {
    const { rows: ledger } = await person.get<{ rows: { message_id: string; kind: string }[] }>(
      '/v1/api/billing/usage?limit=1000',
    );
    return ledger;
  }

  it('matches docs/faults.md', () => {
    const page = renderMatrix(rows);
    console.log(page);
    const kept = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '';
    // The section after the table is written by the bystander test.
    const end = kept.indexOf('\n# ', 1);
    if (process.env['CAUDEX_WRITE_DOCS'] === '1') writeFileSync(PAGE, page + (end === -1 ? '' : kept.slice(end)));
    expect(rows).toHaveLength(SERVICES.length * FAULTS.length);
    expect(readFileSync(PAGE, 'utf8').slice(0, page.length)).toBe(page);
  });
});
