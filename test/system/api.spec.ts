import { request as httpRequest } from 'node:http';
import { SAMPLE_SERVICE_TOKEN } from '../../src/config/config.loader.js';
import { Caudex, parseEvents, Person, type StreamEvent, until } from './caudex.js';
import { chunk, END, FakeLlm, says } from './fake-llm.js';

const PEARS = '# Pears\n\nThe pear harvest begins in September. Williams pears ripen first.';

describe('the public API', () => {
  let caudex: Caudex;
  let llm: FakeLlm;
  let person: Person;
  let project: string;

  beforeAll(async () => {
    llm = await FakeLlm.start();
    caudex = await Caudex.start({
      LLM_BASE_URL: llm.url,
      LLM_MODEL: 'fake-1',
      LLM_API_KEY: 'planted-llm-key',
      CAUDEX__DOWNSTREAM__LLM__RETRY_BASE_MS: '20',
      CAUDEX__DOWNSTREAM__LLM__RECOVERY_TIMEOUT_MS: '300',
      CAUDEX__DOWNSTREAM__LLM__IDLE_TIMEOUT_MS: '500',
      CAUDEX__CHAT__DETACHED_MS: '600',
    });
    person = await caudex.signUp();
    project = await person.project();
    await person.upload(project, 'pears.md', PEARS);
    await until('the document is indexed', async () => (await person.search(project, 'pears')).source === 'hybrid');
  }, 60_000);
  afterAll(async () => {
    await caudex.stop();
    await llm.stop();
  });
  beforeEach(() => {
    llm.behaviour = says('They ripen in September [1].');
    llm.requests.length = 0;
  });

  async function problem(answer: Response, status: number, code: string) {
    const body = (await answer.json()) as Record<string, unknown>;
    expect({ status: answer.status, code: body['code'], body }).toMatchObject({ status, code });
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(body['request_id']).toBe(answer.headers.get('x-request-id'));
    expect(JSON.stringify(body)).not.toMatch(/\.ts:|\.js:|node_modules|\\n +at /);
    return body;
  }
  const post = (path: string, body: string, headers = {}) =>
    person.request('POST', path, body, { 'content-type': 'application/json', ...headers });

  describe('chat', () => {
    it('gives the model the passages as marked data and reports its sources', async () => {
      const answer = await person.chat(project, 'When do pears ripen?');
      expect(answer).toMatchObject({
        response: 'They ripen in September [1].',
        model: 'fake-1',
        source: 'hybrid',
        degraded: false,
        usage: { prompt_tokens: 100, completion_tokens: 7, credits: 1 },
      });
      const prompt = llm.requests[0]?.messages.map(({ content }) => content).join('\n') ?? '';
      expect(prompt).toMatch(/<passage-([0-9a-f]{12})>[^]*Williams pears[^]*<\/passage-\1>/);
    });

    it('streams the UI message protocol with ids, and replays from any of them', async () => {
      const events = await person.chatStream(project, 'When do pears ripen?');
      const types = events.map(({ data }) => (data === '[DONE]' ? data : data.type));
      expect(types).toEqual([
        'start',
        'source-document',
        'data-context',
        'text-start',
        ...Array<string>(5).fill('text-delta'),
        'text-end',
        'finish',
        '[DONE]',
      ]);
      expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1));
      const finish = metadata(events);
      expect(finish).toMatchObject({ model: 'fake-1', saved: 'stored', source: 'hybrid', degraded: false });
      const rest = await person.request('GET', `/v1/api/chat/${finish.message_id}/stream`, undefined, {
        'last-event-id': '7',
      });
      expect(rest.headers.get('x-vercel-ai-ui-message-stream')).toBe('v1');
      expect(parseEvents(await rest.text())).toEqual(events.slice(7));
    });

    it('quotes when the model is unavailable, and states this', async () => {
      llm.behaviour = (_request, reply) => void reply.writeHead(500).end();
      const answer = await person.chat(project, 'When do pears ripen?');
      expect(answer).toMatchObject({ model: 'extractive', state: 'complete', degraded: true });
      expect(answer.degradation).toEqual([{ service: 'llm', reason: 'fault', fallback: 'extractive' }]);
      expect(answer.response).toContain('Williams pears ripen first.');
    });

    it.each([
      ['dies', (reply: { destroy(): void }) => reply.destroy(), 'unreachable'],
      ['falls silent', () => undefined, 'timeout'],
    ])('keeps what there is when the model %s half-way', async (_how, end, reason) => {
      llm.behaviour = (_request, reply) => {
        reply.writeHead(200, { 'content-type': 'text/event-stream' });
        reply.write(chunk('They ripen'));
        setTimeout(() => end(reply), 50);
      };
      const answer = await person.chat(project, 'When do pears ripen?');
      expect(answer).toMatchObject({ response: 'They ripen', state: 'partial', degraded: true });
      expect(answer.degradation).toEqual([{ service: 'llm', reason, fallback: 'none' }]);
      const saved = await person.get<{ turns: { answer: { state: string; text: string } }[] }>(
        `/v1/api/conversations/${answer.conversation_id}`,
      );
      expect(saved.turns[0]?.answer).toMatchObject({ state: 'partial', text: 'They ripen' });
    });

    it('finishes the answer of a disconnected client, and stores it', async () => {
      let finish = () => {};
      llm.behaviour = (_request, reply) => {
        reply.writeHead(200, { 'content-type': 'text/event-stream' });
        reply.write(chunk('They ripen'));
        finish = () => void reply.end(chunk(' in September.') + END);
      };
      const { messageId, conversationId, leave } = await beginStream(caudex, person, project);
      leave();
      setTimeout(() => finish(), 100);
      await until('the whole answer is in the conversation', async () => {
        const { turns } = await person.get<{
          turns: { message_id: string; answer: { state: string; text: string } }[];
        }>(`/v1/api/conversations/${conversationId}`);
        const turn = turns.find(({ message_id }) => message_id === messageId);
        return turn?.answer.state === 'complete' && turn.answer.text === 'They ripen in September.';
      });
    });

    it('stops the model when no client returns for the answer', async () => {
      llm.aborted = 0;
      llm.behaviour = (_request, reply) => {
        reply.writeHead(200, { 'content-type': 'text/event-stream' });
        const timer = setInterval(() => reply.write(chunk('on ')), 50);
        reply.on('close', () => clearInterval(timer));
      };
      const { leave } = await beginStream(caudex, person, project);
      leave();
      await until('the model is cut off', async () => llm.aborted === 1);
    });

    it('continues a conversation with its earlier messages', async () => {
      const first = await person.chat(project, 'When do pears ripen?');
      await person.chat(undefined, 'And why?', { conversation_id: first.conversation_id });
      const { messages } = llm.requests.at(-1) ?? { messages: [] };
      expect(messages.map(({ content }) => content)).toContain('They ripen in September.');
      const { turns } = await person.get<{ turns: { question: string }[] }>(
        `/v1/api/conversations/${first.conversation_id}`,
      );
      expect(turns.map(({ question }) => question)).toEqual(['When do pears ripen?', 'And why?']);
    });

    it('accepts null for a missing id, also in its OpenAPI description', async () => {
      const first = await person.chat(undefined, 'When do pears ripen?', { project_id: null, conversation_id: null });
      expect(first).toMatchObject({ state: 'complete', outcome: 'no_project' });
      const { conversation_id } = first;
      expect(await person.chat(undefined, 'And why?', { project_id: null, conversation_id })).toMatchObject({
        conversation_id,
        outcome: 'no_project',
      });
      const { paths } = await person.get<{ paths: Record<string, { post: object }> }>('/v1/api/openapi.json');
      const nullable = expect.objectContaining({ nullable: true }) as object;
      expect(paths['/v1/api/chat']?.post).toMatchObject({
        requestBody: {
          content: {
            'application/json': { schema: { properties: { project_id: nullable, conversation_id: nullable } } },
          },
        },
      });
    });

    it('reports in `outcome` that nothing was found or that the project is empty, and adds no sentence of its own', async () => {
      expect(await person.chat(project, 'zymurgy quokka')).toMatchObject({
        response: 'They ripen in September.',
        outcome: 'no_match',
      });
      expect(await person.chat(await person.project(), 'pears')).toMatchObject({ outcome: 'empty_project' });
    });

    it('is 402 when the credits are used up', async () => {
      const poor = await Caudex.start({ CAUDEX__BILLING__STARTING_CREDITS: '1' });
      try {
        const asker = await poor.signUp();
        await asker.chat(undefined, 'first');
        await until(
          'the charge arrives',
          async () => (await asker.get<{ credits: number }>('/v1/api/billing/balance')).credits === 0,
        );
        const answer = await asker.request('POST', '/v1/api/chat', '{"message":"second"}', {
          'content-type': 'application/json',
        });
        await problem(answer, 402, 'insufficient_credits');
      } finally {
        await poor.stop();
      }
    }, 40_000);
  });

  describe('Idempotency-Key', () => {
    it('answers a repeated chat with the first answer and runs it once', async () => {
      const ask = () =>
        post('/v1/api/chat', JSON.stringify({ message: 'pears?', project_id: project }), { 'idempotency-key': 'k1' });
      const [a, b] = await Promise.all([ask(), ask()]);
      const c = await ask();
      const [first, second, third] = (await Promise.all([a, b, c].map((r) => r.json()))) as Record<string, unknown>[];
      expect(second).toEqual(first);
      expect(third).toEqual(first);
      expect(llm.requests).toHaveLength(1);
      const other = await post('/v1/api/chat', JSON.stringify({ message: 'apples?' }), { 'idempotency-key': 'k1' });
      await problem(other, 422, 'idempotency_key_reused');
    });

    it('creates one project for one key', async () => {
      const make = () => post('/v1/api/projects', '{"name":"Once"}', { 'idempotency-key': 'k2' });
      const [a, b] = await Promise.all([make(), make()]);
      expect(await b.json()).toEqual(await a.json());
      expect([a.status, b.status]).toEqual([201, 201]);
    });
  });

  describe('documents', () => {
    it('keeps versions, answers with an ETag, and removes deleted documents', async () => {
      const own = await person.project();
      const first = await person.upload(own, 'a b/ü.md', '# One\n\nquinces');
      const second = await person.upload(own, 'a%20b%2F%C3%BC.md', '# Two\n\nmedlars', 200);
      expect(second.path).toBe('a b/ü.md');
      const now = await person.request('GET', `/v1/api/projects/${own}/documents/a b/ü.md`);
      expect([await now.text(), now.headers.get('etag')]).toEqual(['# Two\n\nmedlars', `"${second.version}"`]);
      const cached = await person.request('GET', `/v1/api/projects/${own}/documents/a b/ü.md`, undefined, {
        'if-none-match': `"${second.version}"`,
      });
      expect(cached.status).toBe(304);
      const history = await until('both commits', async () => {
        const { versions } = await person.get<{ versions: { version: string; author: string }[] }>(
          `/v1/api/projects/${own}/history?path=a b/ü.md`,
        );
        return versions.length === 2 && versions;
      });
      expect(history.map(({ version }) => version)).toEqual([second.version, first.version]);
      const then = await person.request('GET', `/v1/api/projects/${own}/documents/a b/ü.md?version=${first.version}`);
      expect(await then.text()).toBe('# One\n\nquinces');
      const stale = await person.request('PUT', `/v1/api/projects/${own}/documents/a b/ü.md`, 'x', {
        'content-type': 'text/plain',
        'if-match': `"${first.version}"`,
      });
      await problem(stale, 412, 'version_conflict');
      await person.delete(`/v1/api/projects/${own}/documents/a b/ü.md`);
      await problem(await person.request('GET', `/v1/api/projects/${own}/documents/a b/ü.md`), 404, 'not_found');
      expect(await person.search(own, 'medlars')).toMatchObject({
        results: [],
        source: 'none',
        outcome: 'empty_project',
      });
    });

    it('accepts a file as multipart', async () => {
      const form = new FormData();
      form.append('file', new Blob(['<h1>Figs</h1><p>Figs like <b>sun</b>.</p>'], { type: 'text/html' }), 'figs.html');
      const answer = await person.request('PUT', `/v1/api/projects/${project}/documents/figs.html`, form);
      expect(answer.status).toBe(201);
      expect((await person.search(project, 'figs sun')).results[0]?.document).toBe('figs.html');
    });
  });

  describe('search', () => {
    const found = async (answer: Promise<Response>) => {
      const body = (await (await answer).json()) as { results: Record<string, unknown>[] };
      return { body, first: body.results[0] ?? {} };
    };
    const ask = (body: object) => found(post('/v1/api/search', JSON.stringify({ project_id: project, ...body })));

    it.each([
      ['hybrid', ['words', 'meaning']],
      ['vector', ['meaning']],
      ['fulltext', ['words']],
    ])('says why it found a passage where it is asked to: %s', async (mode, lists) => {
      const { first } = await ask({ query: 'pears', mode, explain: true });
      const named = lists.map((list) => ({ list, place: 1 }));
      expect(first['explain']).toMatchObject({ lists: named, words: ['pears'] });
      expect((await ask({ query: 'pears', mode })).first).not.toHaveProperty('explain');
      const byAddress = `/v1/api/search?q=pears&project_id=${project}&mode=${mode}`;
      expect((await found(person.request('GET', `${byAddress}&explain=true`))).first).toHaveProperty('explain');
      expect((await found(person.request('GET', `${byAddress}&explain=false`))).first).not.toHaveProperty('explain');
      await problem(await person.request('GET', `${byAddress}&explain=perhaps`), 400, 'invalid_request');
    });

    it.each(['hybrid', 'fulltext'])('reports which word replaced an unknown one: %s', async (mode) => {
      const { body } = await ask({ query: 'harvets', mode });
      expect(body).toMatchObject({ total: 1, corrections: [{ from: 'harvets', to: 'harvest' }] });
      expect((await ask({ query: 'harvest', mode })).body).not.toHaveProperty('corrections');
    });
  });

  describe('bad input', () => {
    it.each([
      ['an unknown field', '{"message":"x","colour":"red"}', 'invalid_request'],
      ['a wrong type', '{"message":7}', 'invalid_request'],
      ['an empty message', '{"message":"  "}', 'invalid_request'],
      ['JSON cut short', '{"message":', 'invalid_json'],
      ['a NUL', '{"message":"a\\u0000b"}', 'invalid_request'],
      ['half a surrogate', '{"message":"\\ud800"}', 'invalid_request'],
    ])('of a chat: %s', async (_what, body, code) => {
      await problem(await post('/v1/api/chat', body), 400, code);
    });

    it('names the wrong value and the right form', async () => {
      const body = { query: '', project_id: project, limit: 0, offset: 'ten', colour: 'red', mode: 'best' };
      const { detail } = await problem(await post('/v1/api/search', JSON.stringify(body)), 400, 'invalid_request');
      expect(detail).toContain('query: a query needs at least one word');
      expect(detail).toContain('limit: 0 is too small; 1 at least');
      expect(detail).toContain('offset: a number is needed, this is text');
      expect(detail).toContain('mode: "hybrid" or "vector" or "fulltext" is needed');
      expect(detail).toContain('colour: there is no such field here');
      const empty = await problem(await post('/v1/api/search', ''), 400, 'invalid_request');
      expect(empty['detail']).toContain('an object is needed');
    });

    it('of a chat: another media type', async () => {
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml']) {
        const answer = await person.request('POST', '/v1/api/chat', '{"message":"x"}', { 'content-type': type });
        const { detail } = await problem(answer, 415, 'unsupported_media_type');
        expect(detail).toContain('application/json');
      }
    });

    it('of a time limit', async () => {
      const soon = await person.request('GET', '/v1/api/projects', undefined, { 'x-request-timeout-ms': 'soon' });
      await problem(soon, 400, 'invalid_timeout');
    });

    it('of a chat: 300 kB', async () => {
      await problem(
        await post('/v1/api/chat', JSON.stringify({ message: 'x'.repeat(300_000) })),
        413,
        'message_too_large',
      );
    });

    it('of a chat: bytes that are not UTF-8', async () => {
      const bytes = Buffer.concat([Buffer.from('{"message":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);
      const answer = await person.request('POST', '/v1/api/chat', new Uint8Array(bytes), {
        'content-type': 'application/json',
      });
      await problem(answer, 400, 'invalid_utf8');
    });

    it.each([[-1], [0], [1e9], [1.5], ['ten']])('of a search: limit %s', async (limit) => {
      await problem(
        await post('/v1/api/search', JSON.stringify({ query: 'x', project_id: project, limit })),
        400,
        'invalid_request',
      );
    });

    it.each([
      ['..', '..%2f..%2fetc%2fpasswd'],
      ['a NUL', 'a%00b'],
      ['a leading slash', '%2fetc'],
      ['300 characters', 'x'.repeat(300)],
      ['an empty segment', 'a%2f%2fb'],
      ['a slash at the end', 'a/'],
      ['nothing but a blank', '%20'],
    ])('of a document path: %s', async (_what, path) => {
      const status = await rawPut(`${caudex.url}/v1/api/projects/${project}/documents/${path}`, person.token);
      expect(status).toEqual({ status: 400, code: 'invalid_path' });
    });

    it('of an upload: 30 MB, bytes that are not UTF-8, a form', async () => {
      const put = (body: Uint8Array<ArrayBuffer>, type: string) =>
        person.request('PUT', `/v1/api/projects/${project}/documents/big.txt`, body, { 'content-type': type });
      await problem(await put(new Uint8Array(30_000_000), 'text/plain'), 413, 'too_large');
      await problem(await put(new Uint8Array([0xc3, 0x28]), 'text/plain'), 400, 'invalid_utf8');
      expect((await put(new Uint8Array(Buffer.from('as it is')), 'text/plain')).status).toBe(201);
      expect(await (await person.request('GET', `/v1/api/projects/${project}/documents/big.txt`)).text()).toBe(
        'as it is',
      );
      await problem(await put(new Uint8Array(3), 'application/x-www-form-urlencoded'), 415, 'unsupported_media_type');
    });

    it.each([
      ['PATCH', '/v1/api/chat', 'GET, HEAD, OPTIONS, POST'],
      ['POST', '/v1/api/projects/p', 'DELETE, GET, HEAD, OPTIONS, PATCH'],
      ['POST', '/v1/api/projects/p/documents/a/b%2Fc.md?version=x', 'DELETE, GET, HEAD, OPTIONS, PUT'],
      ['DELETE', '/health/live', 'GET, HEAD, OPTIONS'],
    ])('of a method: %s %s', async (method, path, allow) => {
      const nobody = new Person(caudex.url, '');
      const answer = await nobody.request(method, path);
      expect(answer.headers.get('allow')).toBe(allow);
      await problem(answer, 405, 'method_not_allowed');
      const options = await nobody.request('OPTIONS', path);
      expect([options.status, options.headers.get('allow')]).toEqual([204, allow]);
    });

    it('of a method: HEAD where there is no GET, an unknown address, a server behind this one', async () => {
      const head = await person.request('HEAD', '/v1/api/search/nothing');
      expect([head.status, head.headers.get('allow')]).toEqual([404, null]);
      expect((await person.request('HEAD', '/v1/api/auth/login')).headers.get('allow')).toBe('OPTIONS, POST');
      expect((await person.request('HEAD', '/v1/api/projects')).status).toBe(200);
      for (const method of ['PATCH', 'OPTIONS']) {
        await problem(await person.request(method, '/v1/api/nothing'), 404, 'not_found');
      }
      const git = new Person(caudex.urlOf('git'), '');
      const token = { 'x-internal-token': SAMPLE_SERVICE_TOKEN };
      const answer = await git.request('PATCH', '/projects/p/commits', undefined, token);
      expect(answer.headers.get('allow')).toBe('OPTIONS, POST');
      await problem(answer, 405, 'method_not_allowed');
    });

    it('of an address that cannot be decoded', async () => {
      await problem(await person.request('GET', '/v1/api/projects/%'), 400, 'bad_request');
    });

    it('of a token', async () => {
      await problem(
        await new Person(caudex.url, 'abc.def.ghi').request('GET', '/v1/api/auth/check'),
        401,
        'token_malformed',
      );
      await problem(await new Person(caudex.url, '').request('GET', '/v1/api/auth/check'), 401, 'token_missing');
    });

    it('of a sign-in: the same answer for a wrong password and an unknown account', async () => {
      const wrong = (email: string) =>
        fetch(`${caudex.url}/v1/api/auth/login`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ email, password: 'wrong wrong' }),
        });
      const { user } = await person.get<{ user: { email: string } }>('/v1/api/auth/check');
      const [a, b] = [await wrong(user.email), await wrong('nobody@example.org')];
      const [x, y] = [await problem(a, 401, 'invalid_credentials'), await problem(b, 401, 'invalid_credentials')];
      expect(x['detail']).toBe(y['detail']);
    });
  });

  describe('two people', () => {
    it('share nothing, for any names', async () => {
      const other = await caudex.signUp();
      const theirs = await other.project();
      await other.upload(theirs, 'pears.md', '# Pears\n\nMy secret orchard lies in Xanadu.');
      await until('it is indexed', async () => (await other.search(theirs, 'Xanadu')).total === 1);
      expect(
        (await person.search(project, 'secret orchard Xanadu')).results.map(({ text }) => text).join(),
      ).not.toContain('Xanadu');
      const searched = await post('/v1/api/search', JSON.stringify({ query: 'Xanadu', project_id: theirs }));
      await problem(searched, 404, 'not_found');
      await problem(
        await post('/v1/api/chat', JSON.stringify({ message: 'Xanadu', project_id: theirs })),
        404,
        'not_found',
      );
      await problem(await person.request('GET', `/v1/api/projects/${theirs}`), 404, 'not_found');
      await problem(await person.request('GET', `/v1/api/projects/${theirs}/documents/pears.md`), 404, 'not_found');
      await problem(await person.request('GET', `/v1/api/projects/${theirs}/history`), 404, 'not_found');
      await problem(await person.request('DELETE', `/v1/api/projects/${theirs}`), 404, 'not_found');
      const chat = await other.chat(theirs, 'Where is the orchard?');
      await problem(await person.request('GET', `/v1/api/conversations/${chat.conversation_id}`), 404, 'not_found');
      await problem(await person.request('GET', `/v1/api/chat/${chat.message_id}/stream`), 404, 'not_found');
      await problem(
        await post('/v1/api/chat', JSON.stringify({ message: 'x', conversation_id: chat.conversation_id })),
        404,
        'not_found',
      );
    });
  });

  describe('status', () => {
    it('has exactly the fields of the contract for all six services', async () => {
      const status = (await (await fetch(`${caudex.url}/v1/api/status/services`)).json()) as {
        services: Record<string, unknown>;
        timestamp: string;
      };
      expect(Object.keys(status.services).sort()).toEqual(['auth', 'billing', 'chroma', 'filesystem', 'git', 'llm']);
      const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/;
      expect(status.timestamp).toMatch(time);
      expect(status.services['chroma']).toMatchObject({
        service: 'Chroma Server',
        state: 'closed',
        failure_count: 0,
        last_failure: null,
        last_state_change: expect.stringMatching(time) as string,
      });
    });

    it('shows details to operators only', async () => {
      await problem(await person.request('GET', '/v1/api/status/services/chroma'), 403, 'operators_only');
      await problem(await person.request('GET', '/v1/api/status/outbox'), 403, 'operators_only');
    });
  });

  it('refuses a change by cookie from another site, and accepts one from its own', async () => {
    const cookie = `auth_token=${person.token}`;
    const make = (headers: Record<string, string>) =>
      fetch(`${caudex.url}/v1/api/projects`, {
        method: 'POST',
        headers: { cookie, 'content-type': 'application/json', ...headers },
        body: '{"name":"Cookie"}',
      });
    await problem(await make({ origin: 'https://evil.example' }), 403, 'cross_site');
    await problem(await make({ referer: 'https://evil.example/page' }), 403, 'cross_site');
    expect((await make({ origin: caudex.url })).status).toBe(201);
  });

  it('ends a session for good', async () => {
    const other = await caudex.signUp();
    await other.get('/v1/api/auth/check');
    await other.post('/v1/api/auth/logout', {});
    await problem(await other.request('GET', '/v1/api/auth/check'), 401, 'token_revoked');
  });
});

function metadata(events: StreamEvent[]) {
  const finish = events.map(({ data }) => data).find((data) => data !== '[DONE]' && data.type === 'finish');
  if (finish === undefined || finish === '[DONE]' || finish.messageMetadata === undefined) throw new Error('no finish');
  return finish.messageMetadata;
}

/** Asks for a stream and waits for its first event. */
async function beginStream(caudex: Caudex, person: Person, project: string) {
  const gone = new AbortController();
  const answer = await fetch(`${caudex.url}/v1/api/chat`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${person.token}`,
      'content-type': 'application/json',
      accept: 'text/event-stream',
    },
    body: JSON.stringify({ message: 'When do pears ripen?', project_id: project }),
    signal: gone.signal,
  });
  let text = '';
  for await (const bytes of answer.body as unknown as AsyncIterable<Uint8Array>) {
    text += Buffer.from(bytes).toString();
    if (text.includes('text-delta')) break;
  }
  const start = parseEvents(text)[0]?.data as { messageMetadata: { conversation_id: string; message_id: string } };
  return {
    messageId: start.messageMetadata.message_id,
    conversationId: start.messageMetadata.conversation_id,
    leave: () => gone.abort(),
  };
}

/** Sends the path as it is; `fetch` would normalise it. */
function rawPut(url: string, token: string): Promise<{ status: number; code: string }> {
  const { hostname, port } = new URL(url);
  const path = url.slice(url.indexOf('/', 'http://'.length));
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        hostname,
        port,
        path,
        method: 'PUT',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'text/plain' },
      },
      (answer) => {
        let body = '';
        answer.on('data', (bytes: Buffer) => (body += bytes.toString()));
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, code: (JSON.parse(body) as { code: string }).code }),
        );
      },
    );
    request.on('error', reject);
    request.end('x');
  });
}
