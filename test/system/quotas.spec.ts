import { connect } from 'node:net';
import { Caudex, type Person, until } from './caudex.js';

const json = { 'content-type': 'application/json' };

describe('the limits of one user', () => {
  let caudex: Caudex;
  let person: Person;

  beforeAll(async () => {
    caudex = await Caudex.start({
      CAUDEX__QUOTAS: '{projects: 3, documents: 5, bytes: 20000, conversations: 2}',
      CAUDEX__CHAT__MAX_STREAMS_PER_USER: '4',
      CAUDEX__LOG__FORMAT: 'pretty',
    });
  }, 60_000);
  afterAll(() => caudex.stop());
  beforeEach(async () => {
    person = await caudex.signUp();
  });

  const put = (project: string, path: string, text: string) =>
    person.request('PUT', `/v1/api/projects/${project}/documents/${path}`, text, { 'content-type': 'text/plain' });
  async function refused(answer: Response, quota: string) {
    const body = (await answer.json()) as { code: string; detail: string };
    expect({ status: answer.status, code: body.code }).toEqual({ status: 507, code: 'quota_exceeded' });
    expect(body.detail).toContain(`quotas.${quota}`);
  }

  it('apply to projects, also concurrent ones', async () => {
    const make = () => person.request('POST', '/v1/api/projects', '{"name":"P"}', json);
    const answers = await Promise.all(Array.from({ length: 12 }, make));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
    await refused(await make(), 'projects');
    expect((await caudex.breaker('filesystem')).state).toBe('closed');
  });

  it('apply to documents of all projects together, also concurrent ones', async () => {
    const projects = [await person.project(), await person.project()] as const;
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, i) => put(projects[i % 2] as string, `d${i}.txt`, `text ${i}`)),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(5);
    await refused(await put(projects[0], 'more.txt', 'more'), 'documents');
    const { documents } = await person.get<{ documents: { path: string }[] }>(
      `/v1/api/projects/${projects[0]}/documents`,
    );
    const [kept] = documents;
    expect((await put(projects[0], String(kept?.path), 'changed')).status).toBe(200);
    await person.delete(`/v1/api/projects/${projects[0]}/documents/${kept?.path}`);
    expect((await put(projects[0], 'more.txt', 'more')).status).toBe(201);
  });

  it('apply to bytes; a smaller document is always accepted, and a deleted project frees its bytes', async () => {
    const project = await person.project();
    expect((await put(project, 'a.txt', 'a'.repeat(12_000))).status).toBe(201);
    await refused(await put(project, 'b.txt', 'b'.repeat(12_000)), 'bytes');
    await refused(await put(project, 'a.txt', 'a'.repeat(21_000)), 'bytes');
    expect((await put(project, 'a.txt', 'a'.repeat(11_000))).status).toBe(200);
    await person.delete(`/v1/api/projects/${project}`);
    expect((await put(await person.project(), 'b.txt', 'b'.repeat(19_000))).status).toBe(201);
  });

  it('apply to conversations; an existing one continues', async () => {
    const chat = (more: object = {}) =>
      person.request('POST', '/v1/api/chat', JSON.stringify({ message: 'hello', ...more }), json);
    const { conversation_id } = (await (await chat()).json()) as { conversation_id: string };
    expect((await chat()).status).toBe(200);
    await refused(await chat(), 'conversations');
    expect((await chat({ conversation_id })).status).toBe(200);
  });

  it('apply to open streams', async () => {
    const gone = new AbortController();
    const open = () =>
      fetch(`${caudex.url}/v1/api/status/stream`, {
        headers: { authorization: `Bearer ${person.token}` },
        signal: gone.signal,
      });
    const statuses = [];
    for (let i = 0; i < 6; i++) statuses.push((await open()).status);
    expect(statuses).toEqual([200, 200, 200, 200, 429, 429]);
    gone.abort();
    await until('there is room again', async () => (await openOnce()) === 200);
  });

  async function openOnce(): Promise<number> {
    const own = new AbortController();
    const answer = await fetch(`${caudex.url}/v1/api/status/stream`, {
      headers: { authorization: `Bearer ${person.token}` },
      signal: own.signal,
    });
    own.abort();
    return answer.status;
  }

  it('distinguishes two multipart bodies of one length under one key', async () => {
    const project = await person.project();
    const send = (text: string) => {
      const form = new FormData();
      form.append('file', new Blob([text], { type: 'text/plain' }), 'a.txt');
      return person.request('PUT', `/v1/api/projects/${project}/documents/a.txt`, form, { 'idempotency-key': 'k' });
    };
    expect((await send('one')).status).toBe(201);
    const again = await send('one');
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([201, 'true']);
    expect((await send('two')).status).toBe(422);
  });

  it('logs user input in one line, without terminal commands', async () => {
    await person.request('PUT', `/v1/api/projects/p%1b%5b31m%0aFAKE-LINE/documents/a.txt`, 'x', {
      'content-type': 'text/plain',
    });
    await person.request('GET', '/v1/api/chat/x%0aFAKE-LINE%1b[2J/stream');
    const log = caudex.output.join('');
    expect(log).not.toContain('\u001b');
    expect(log.split('\n').filter((line) => line.startsWith('FAKE-LINE'))).toEqual([]);
  });

  it('hides the operators from users, and shows metrics to this machine only', async () => {
    const { services } = (await (await fetch(`${caudex.url}/v1/api/status/services`)).json()) as {
      services: Record<string, { isolated_by: string[] }>;
    };
    expect(Object.values(services).flatMap(({ isolated_by }) => isolated_by)).toEqual([]);
    expect((await fetch(`${caudex.url}/metrics`)).status).toBe(200);
    const proxied = await fetch(`${caudex.url}/metrics`, { headers: { 'x-forwarded-for': '203.0.113.7' } });
    expect(proxied.status).toBe(403);
  });

  it('reports no error for a client that disconnects during its request', async () => {
    const before = caudex.output.length;
    for (let i = 0; i < 3; i++) {
      const socket = connect(caudex.ports.backend, '127.0.0.1');
      socket.write(
        `PUT /v1/api/projects/p/documents/a.txt HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${person.token}\r\ncontent-type: text/plain\r\ncontent-length: 1000\r\n\r\nhalf`,
      );
      await new Promise((resolve) => setTimeout(resolve, 100));
      socket.destroy();
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(caudex.output.slice(before).join('')).not.toMatch(/ERROR/);
  });
});
