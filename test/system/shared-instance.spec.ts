import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { Caudex, Person, until } from './caudex.js';

const password = 'correct horse battery';
const json = { 'content-type': 'application/json' };

describe('credits while billing is away', () => {
  it('are owed in full, and a limited number of answers of one user waits to be charged', async () => {
    const caudex = await Caudex.start({
      CAUDEX__BILLING__STARTING_CREDITS: '1',
      CAUDEX__CHAT__MAX_UNMETERED: '3',
    });
    try {
      const person = await caudex.signUp();
      await person.chat(undefined, 'the first question is paid for');
      await until('it is charged', async () => (await balance(person)) === 0);
      await person.post('/v1/api/chat', { message: 'one too many' }, 402);
      await caudex.kill('billing');
      for (let i = 0; i < 3; i++) expect((await person.chat(undefined, `unmetered ${i}`)).degraded).toBe(true);
      const refused = await person.post('/v1/api/chat', { message: 'unmetered 4' }, 503);
      expect(refused).toMatchObject({ code: 'billing_unavailable', retry_after: 30 });
      const other = await caudex.signUp();
      expect((await other.chat(undefined, 'mine')).status).toBe(200);
      await caudex.launch('billing');
      await until('all is charged', async () => (await balance(person)) === -3);
      await person.post('/v1/api/chat', { message: 'after that' }, 402);
    } finally {
      await caudex.stop();
    }
  }, 60_000);

  const balance = async (person: Person) => (await person.get<{ credits: number }>('/v1/api/billing/balance')).credits;
});

describe('a shared instance', () => {
  let caudex: Caudex;
  beforeAll(async () => {
    caudex = await Caudex.start({ CAUDEX__HTTP__TRUSTED_PROXIES: '[127.0.0.1]', CAUDEX__RATE_LIMIT__ENABLED: 'true' });
  }, 60_000);
  afterAll(() => caudex.stop());

  it('refuses a second process on its data folder, with the name of the folder', async () => {
    const before = caudex.pid('backend');
    const second = await Caudex.start({ DATA_DIR: caudex.dataDir }, { apps: ['backend'] }).then(
      () => 'it started',
      (error: Error) => error.message,
    );
    expect(second).toContain(`${join(caudex.dataDir, 'backend')} is in use by another backend process`);
    expect(caudex.pid('backend')).toBe(before);
    expect((await fetch(`${caudex.url}/health/ready`)).status).toBe(200);
  }, 30_000);

  it('counts by the addresses that a trusted proxy names', async () => {
    const email = `user${Math.random()}@example.org`;
    const stranger = new Person(caudex.url, '');
    const from = (address: string) => ({ ...json, 'x-forwarded-for': address });
    const credentials = (name: string, word = 'wrong password') => JSON.stringify({ email: name, password: word });
    const ask = (path: string, body: string, address: string) =>
      stranger.request('POST', `/v1/api/auth/${path}`, body, from(address));
    expect((await ask('register', credentials(email, password), '203.0.113.7')).status).toBe(201);
    const statuses = new Set<number>();
    for (let i = 0; i < 62; i++)
      statuses.add((await ask('login', credentials(`x${i}@example.org`), '2001:db8::7')).status);
    expect(statuses).toContain(429);
    expect((await ask('login', credentials('y@example.org'), '2001:db8::8')).status).toBe(429);
    expect((await ask('login', credentials(email, password), '203.0.113.7')).status).toBe(200);
  }, 60_000);

  it('sets a cookie that a browser stores, over https and over plain http', async () => {
    const email = `user${Math.random()}@example.org`;
    const stranger = new Person(caudex.url, '');
    await stranger.post('/v1/api/auth/register', { email, password }, 201);
    const login = async (headers: Record<string, string>) => {
      const body = JSON.stringify({ email, password });
      const answer = await stranger.request('POST', '/v1/api/auth/login', body, { ...json, ...headers });
      return (answer.headers.get('set-cookie') ?? '').split('; ');
    };
    expect(await login({ 'x-forwarded-proto': 'https' })).toContain('Secure');
    expect(await login({ origin: 'https://docs.example.org' })).toContain('Secure');
    expect(await login({ 'x-forwarded-proto': 'http' })).not.toContain('Secure');
    expect(await login({ origin: 'http://caudex.lan' })).not.toContain('Secure');
  });

  it('accepts a change by cookie through a proxy, with any form of the host name', async () => {
    const { token } = await caudex.signUp();
    const make = async (headers: Record<string, string>) => {
      const all = { ...json, cookie: `auth_token=${token}`, ...headers };
      return (await new Person(caudex.url, '').request('POST', '/v1/api/projects', '{"name":"P"}', all)).status;
    };
    const origin = 'http://caudex.lan:8080';
    expect(await make({ origin, 'x-forwarded-host': 'caudex.lan:8080' })).toBe(201);
    expect(await make({ origin, 'x-forwarded-host': 'caudex.lan' })).toBe(201);
    expect(await make({ origin: 'http://evil.lan', 'x-forwarded-host': 'caudex.lan' })).toBe(403);
  });

  it.each([
    ['a link on another site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['a link on a sister site', { 'sec-fetch-site': 'same-site' }, 403],
    ['a link in a mail', { 'sec-fetch-site': 'none' }, 403],
    ['a link of an old browser', { referer: 'https://evil.example/page' }, 403],
    ['a link without any sign', {}, 403],
    ['our own page', { 'sec-fetch-site': 'same-origin' }, 200],
    ['our own page in an old browser', { referer: 'http://127.0.0.1/page' }, 200],
  ])('answers a chat by GET and cookie from %s as it should', async (_, headers, status) => {
    const { token } = await caudex.signUp();
    const by = { cookie: `auth_token=${token}`, ...headers } as Record<string, string>;
    const answer = await new Person(caudex.url, '').request('GET', '/v1/api/chat?message=hello', undefined, by);
    expect(answer.status).toBe(status);
    const bearer = { authorization: `Bearer ${token}`, ...headers } as Record<string, string>;
    const asBefore = await new Person(caudex.url, '').request('GET', '/v1/api/chat?message=hello', undefined, bearer);
    expect(asBefore.status).toBe(200);
  });

  it('answers writes with 503 and Retry-After while a store is locked, and still reads and chats', async () => {
    const person = await caudex.signUp();
    const project = await person.project();
    await person.upload(project, 'pears.md', '# Pears\n\nWilliams pears ripen first.');
    await until('it is indexed', async () => (await person.search(project, 'pears')).source === 'hybrid');
    const locked = new DatabaseSync(join(caudex.dataDir, 'filesystem', 'metadata.sqlite'));
    locked.exec('BEGIN IMMEDIATE');
    try {
      const beganMs = performance.now();
      const upload = await person.request('PUT', `/v1/api/projects/${project}/documents/a.md`, 'text', {
        'content-type': 'text/markdown',
      });
      expect(upload.status).toBe(503);
      expect(Number(upload.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(performance.now() - beganMs).toBeLessThan(10_000);
      expect(await person.chat(project, 'When do pears ripen?')).toMatchObject({ source: 'hybrid', saved: 'queued' });
      await person.get(`/v1/api/projects/${project}/documents`);
      expect((await caudex.breaker('filesystem')).state).toBe('closed');
    } finally {
      locked.exec('ROLLBACK');
      locked.close();
    }
    await until('an upload is taken', async () => {
      const again = await person.request('PUT', `/v1/api/projects/${project}/documents/a.md`, 'text', {
        'content-type': 'text/markdown',
      });
      return again.status === 201;
    });
    let kept = '';
    const outbox = new DatabaseSync(join(caudex.dataDir, 'backend', 'outbox.db'));
    outbox.exec('BEGIN IMMEDIATE');
    try {
      const chat = await person.chat(undefined, 'hello');
      expect(chat).toMatchObject({ status: 200, saved: 'queued' });
      expect(chat.degradation).toContainEqual({ service: 'filesystem', reason: 'saturated', fallback: 'outbox' });
      kept = chat.conversation_id;
      const refused = await person.request('PUT', `/v1/api/projects/${project}/documents/b.md`, 'text', {
        'content-type': 'text/markdown',
      });
      expect(refused.status).toBe(503);
      expect(await refused.json()).toMatchObject({ code: 'storage_busy', retry_after: 1 });
      expect((await person.search(project, 'pears')).source).toBe('hybrid');
    } finally {
      outbox.exec('ROLLBACK');
      outbox.close();
    }
    await until('the turn is stored', async () => {
      const { turns } = await person.get<{ turns: unknown[] }>(`/v1/api/conversations/${kept}`);
      return turns.length === 1;
    });
    expect((await person.chat(undefined, 'hello')).status).toBe(200);
  }, 60_000);

  it('refuses JSON that is nested too deep, or too long for an unauthenticated client, at once', async () => {
    const stranger = new Person(caudex.url, '');
    const login = (body: string) =>
      stranger.request('POST', '/v1/api/auth/login', body, { ...json, 'x-forwarded-for': '198.51.100.1' });
    const beganMs = performance.now();
    expect((await login('['.repeat(1_000_000))).status).toBe(413);
    expect((await login('['.repeat(5000))).status).toBe(400);
    const { token } = await caudex.signUp();
    const nested = new Person(caudex.url, token);
    const deep = `{"message":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
    const answer = await nested.request('POST', '/v1/api/chat', deep, { ...json, 'idempotency-key': 'k1' });
    expect(answer.status).toBe(400);
    expect(performance.now() - beganMs).toBeLessThan(3000);
  });
});
