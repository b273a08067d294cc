import { DefaultChatTransport, type UIMessage } from 'ai';
import { Caudex, type ChatAnswer, type Person, until } from './caudex.js';
import { FakeLlm, says } from './fake-llm.js';

interface Turn {
  message_id: string;
  parent_id: string | null;
  question: string;
  siblings?: string[];
  feedback?: { rating: string; note: string };
  answer: { text: string };
}
interface Conversation {
  turns: Turn[];
  offset: number;
  total: number;
}

describe('a conversation', () => {
  let small: FakeLlm;
  let large: FakeLlm;
  let caudex: Caudex;
  let ann: Person;

  beforeAll(async () => {
    [large, small] = await Promise.all([FakeLlm.start(), FakeLlm.start()]);
    caudex = await Caudex.start({
      LLM_BASE_URL: `${large.url},${small.url}`,
      LLM_MODEL: 'large,small',
      CAUDEX__CACHE__ANSWERS: 'true',
    });
    ann = await caudex.signUp();
  }, 60_000);
  beforeEach(() => {
    large.behaviour = says('From the large one.');
    small.behaviour = says('From the small one.');
    large.requests.length = small.requests.length = 0;
  });
  afterAll(async () => {
    await caudex.stop();
    await Promise.all([large.stop(), small.stop()]);
  });

  const read = (id: string, query = '') => ann.get<Conversation>(`/v1/api/conversations/${id}${query}`);
  const questions = ({ turns }: Conversation) => turns.map(({ question }) => question);
  const asked = () =>
    large.requests
      .at(-1)
      ?.messages.slice(1)
      .map(({ content }) => content);
  const put = (path: string, body: object) =>
    ann.request('PUT', path, JSON.stringify(body), { 'content-type': 'application/json' });

  async function talk(...said: string[]): Promise<{ id: string; answers: ChatAnswer[] }> {
    const answers: ChatAnswer[] = [];
    for (const message of said) {
      const conversation_id = answers[0]?.conversation_id ?? null;
      answers.push(await ann.chat(undefined, message, { conversation_id }));
    }
    return { id: answers[0]?.conversation_id ?? '', answers };
  }

  it('keeps both answers where one is regenerated', async () => {
    const { id, answers } = await talk('One?', 'Two?');
    large.behaviour = says('Another one.');
    const again = await ann.post<ChatAnswer>('/v1/api/chat', {
      conversation_id: id,
      replaces: answers[1]?.message_id,
    });
    expect(asked()).toEqual(['One?', 'From the large one.', 'Two?']);
    expect(again).toMatchObject({ response: 'Another one.', conversation_id: id, cached: false });
    const { turns } = await read(id);
    expect(turns.map(({ answer }) => answer.text)).toEqual(['From the large one.', 'Another one.']);
    expect(turns[1]?.siblings).toEqual([answers[1]?.message_id, again.message_id]);
    const before = await read(id, `?branch=${answers[1]?.message_id}`);
    expect(before.turns.at(-1)).toMatchObject({
      message_id: answers[1]?.message_id,
      parent_id: answers[0]?.message_id,
    });
    expect((await read(id, '?branch=all')).total).toBe(3);
  });

  it('keeps both questions where one is edited, and continues in either', async () => {
    const { id, answers } = await talk('One?', 'Two?', 'Three?');
    const edited = await ann.chat(undefined, 'Second?', { conversation_id: id, replaces: answers[1]?.message_id });
    await ann.chat(undefined, 'Third?', { conversation_id: id });
    expect(asked()).toEqual(['One?', 'From the large one.', 'Second?', 'From the large one.', 'Third?']);
    expect(questions(await read(id))).toEqual(['One?', 'Second?', 'Third?']);
    await ann.chat(undefined, 'Four?', { conversation_id: id, parent_id: answers[2]?.message_id });
    expect(questions(await read(id))).toEqual(['One?', 'Two?', 'Three?', 'Four?']);
    expect(questions(await read(id, `?branch=${edited.message_id}`))).toEqual(['One?', 'Second?', 'Third?']);
  });

  it('starts a new branch where the first question is edited', async () => {
    const { id, answers } = await talk('One?', 'Two?');
    await ann.chat(undefined, 'Uno?', { conversation_id: id, replaces: answers[0]?.message_id });
    expect(asked()).toEqual(['Uno?']);
    expect(questions(await read(id))).toEqual(['Uno?']);
  });

  it('returns a cached answer only where it is not regenerated', async () => {
    const project = await ann.project();
    await ann.upload(project, 'pears.md', '# Pears\n\nPears ripen in September.');
    await until('the index', async () => (await ann.search(project, 'pears')).source === 'hybrid');
    const first = await ann.chat(project, 'When do pears ripen?');
    expect(await ann.chat(project, 'When do pears ripen?')).toMatchObject({ cached: true });
    large.behaviour = says('A better one.');
    const { conversation_id, message_id } = first;
    const again = await ann.post('/v1/api/chat', { conversation_id, replaces: message_id });
    expect(again).toMatchObject({ response: 'A better one.', cached: false });
  });

  it.each([
    [{ replaces: 'nobodys' }, 404, 'not_found'],
    [{ parent_id: 'nobodys', message: 'x' }, 404, 'not_found'],
    [{ replaces: 'x', conversation_id: null }, 400, 'invalid_request'],
    [{ replaces: 'x', parent_id: 'y' }, 400, 'invalid_request'],
    [{ model: 'huge', message: 'x' }, 400, 'invalid_request'],
    [{}, 400, 'invalid_request'],
  ])('refuses %j', async (more, status, code) => {
    const { id } = await talk('One?');
    const problem = await ann.post('/v1/api/chat', { conversation_id: id, ...more }, status);
    expect(problem).toMatchObject({ code });
  });

  it('deletes one turn, and the later turns follow the earlier ones', async () => {
    const { id, answers } = await talk('One?', 'Two?', 'Three?');
    const path = `/v1/api/conversations/${id}/turns/${answers[1]?.message_id}`;
    await ann.delete(path);
    await ann.delete(path);
    const { turns } = await read(id);
    expect(turns.map(({ question, parent_id }) => [question, parent_id])).toEqual([
      ['One?', null],
      ['Three?', answers[0]?.message_id],
    ]);
    await ann.chat(undefined, 'Four?', { conversation_id: id });
    expect(asked()?.join(' ')).not.toContain('Two?');
    await ann.delete(`/v1/api/conversations/${id}/turns/nobodys`, 404);
    expect((await read(id)).total).toBe(3);
  });

  it('deletes a turn that is not delivered yet', async () => {
    const { id } = await talk('One?');
    await caudex.kill('filesystem');
    const { message_id } = await ann.chat(undefined, 'Two?', { conversation_id: id });
    await caudex.launch('filesystem');
    await until('the turn can be deleted', async () => {
      return (await ann.request('DELETE', `/v1/api/conversations/${id}/turns/${message_id}`)).status === 204;
    });
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(questions(await read(id, '?branch=all'))).toEqual(['One?']);
  }, 60_000);

  it('stores the rating of an answer', async () => {
    const { id, answers } = await talk('One?');
    const path = `/v1/api/conversations/${id}/turns/${answers[0]?.message_id}/feedback`;
    expect((await put(path, { rating: 'down', note: 'It is two.' })).status).toBe(204);
    expect((await read(id)).turns[0]?.feedback).toMatchObject({ rating: 'down', note: 'It is two.' });
    expect((await put(path, { rating: 'up' })).status).toBe(204);
    expect((await read(id)).turns[0]?.feedback).toMatchObject({ rating: 'up', note: '' });
    await ann.delete(path);
    expect((await read(id)).turns[0]?.feedback).toBeUndefined();
    expect((await put(path, { rating: 'sideways' })).status).toBe(400);
    expect((await put(path.replace(answers[0]?.message_id ?? '', 'nobodys'), { rating: 'up' })).status).toBe(404);
  });

  it('is read in pages, from its beginning or its end', async () => {
    const { id } = await talk('q0', 'q1', 'q2', 'q3', 'q4', 'q5');
    expect(await read(id, '?limit=2&offset=1')).toMatchObject({ offset: 1, total: 6, turns: [{ question: 'q1' }, {}] });
    const newest = await read(id, '?last=2');
    expect(questions(newest)).toEqual(['q4', 'q5']);
    expect(questions(await read(id, `?limit=3&offset=${newest.offset - 3}`))).toEqual(['q1', 'q2', 'q3']);
    expect((await read(id, '?offset=9')).turns).toEqual([]);
    expect((await ann.request('GET', `/v1/api/conversations/${id}?last=2&offset=1`)).status).toBe(400);
    expect((await ann.request('GET', `/v1/api/conversations/${id}?branch=nobodys`)).status).toBe(404);
  });

  it('is answered by the chosen model, and by the others where it fails', async () => {
    expect(await ann.get('/v1/api/models')).toEqual({
      models: [
        { model: 'large', default: true },
        { model: 'small', default: false },
      ],
    });
    expect(await ann.chat(undefined, 'One?', { model: 'small' })).toMatchObject({ model: 'small', degradation: [] });
    expect(large.requests).toHaveLength(0);
    small.behaviour = (_request, reply) => void reply.writeHead(500).end();
    expect(await ann.chat(undefined, 'One?', { model: 'small' })).toMatchObject({
      model: 'large',
      degradation: [{ service: 'llm_2', reason: 'fault', fallback: 'next_model' }],
    });
  });

  it('gives the model the instructions of its project, in every turn', async () => {
    const project = await ann.project('Garden');
    const change = { instructions: 'Answer in rhymes.', name: 'My garden' };
    const patched = await ann.request('PATCH', `/v1/api/projects/${project}`, JSON.stringify(change), {
      'content-type': 'application/json',
    });
    expect(await patched.json()).toMatchObject({ project_id: project, ...change });
    expect(await ann.get(`/v1/api/projects/${project}`)).toMatchObject(change);
    const { conversation_id } = await ann.chat(project, 'One?');
    await ann.chat(undefined, 'Two?', { conversation_id });
    for (const { messages } of large.requests) expect(messages[0]?.content).toContain('Answer in rhymes.');
    await ann.chat(undefined, 'Three?');
    expect(large.requests.at(-1)?.messages[0]?.content).not.toContain('rhymes');
    expect(
      (await ann.request('PATCH', `/v1/api/projects/${project}`, '{}', { 'content-type': 'application/json' })).status,
    ).toBe(400);
  });

  it('uses the documents in its scope, by POST, by GET and as an OpenAI completion', async () => {
    const project = await ann.project();
    await ann.upload(project, 'garden/pears.md', '# Pears\n\nThe pears ripen in September.');
    await ann.upload(project, 'attic/pears.md', '# Pears\n\nThe painted pears ripen never.');
    await until('the index', async () => (await ann.search(project, 'pears')).total === 2);
    const scope = { paths: ['garden/'] };
    const message = 'When do the pears ripen?';
    const documents = ({ sources }: Pick<ChatAnswer, 'sources'>) => sources.map(({ document }) => document);
    expect(documents(await ann.chat(project, message, { scope }))).toEqual(['garden/pears.md']);
    const query = new URLSearchParams({ message, project_id: project, scope: JSON.stringify(scope) });
    expect(documents(await ann.get<ChatAnswer>(`/v1/api/chat?${query}`))).toEqual(['garden/pears.md']);
    const completed = await ann.post<{ caudex: ChatAnswer }>('/v1/chat/completions', {
      model: `caudex:${project}`,
      messages: [{ role: 'user', content: message }],
      scope,
    });
    expect(documents(completed.caudex)).toEqual(['garden/pears.md']);
    query.set('scope', '{"paths":');
    expect((await ann.request('GET', `/v1/api/chat?${query}`)).status).toBe(400);
  });

  it('gets a branch where useChat regenerates an answer or edits a question', async () => {
    const transport = new DefaultChatTransport<UIMessage>({
      api: `${caudex.url}/v1/api/chat`,
      headers: { authorization: `Bearer ${ann.token}` },
    });
    const user = (text: string): UIMessage => ({ id: text, role: 'user', parts: [{ type: 'text', text }] });
    const ask = async (
      messages: UIMessage[],
      trigger: 'submit-message' | 'regenerate-message' = 'submit-message',
      messageId?: string,
    ): Promise<UIMessage> => {
      const stream = await transport.sendMessages({
        chatId: 'branched',
        messages,
        trigger,
        messageId,
        abortSignal: undefined,
      });
      let id = '';
      for await (const part of stream) if (part.type === 'start') id = part.messageId ?? '';
      return { id, role: 'assistant', parts: [{ type: 'text', text: 'From the large one.' }] };
    };
    const [one, two] = [user('One?'), user('Two?')];
    const first = await ask([one]);
    const second = await ask([one, first, two]);
    await ask([one, first, two], 'regenerate-message', second.id);
    const { turns } = await read('branched');
    expect(turns).toHaveLength(2);
    expect(turns[1]?.siblings).toHaveLength(2);
    await ask([user('Uno?')], 'submit-message', 'One?');
    expect(questions(await read('branched'))).toEqual(['Uno?']);
    expect((await read('branched', '?branch=all')).total).toBe(4);
  });

  it('repeats an answer event by event where its key is repeated', async () => {
    const project = await ann.project();
    await ann.upload(project, 'pears.md', '# Pears\n\nThe pears ripen in September.');
    await until('the index', async () => (await ann.search(project, 'pears')).source === 'hybrid');
    const body = JSON.stringify({ message: 'When do the pears ripen, pray?', project_id: project, stream: true });
    const ask = async () => {
      const headers = { 'content-type': 'application/json', 'idempotency-key': 'the-same-events' };
      return (await ann.request('POST', '/v1/api/chat', body, headers)).text();
    };
    const [first, same] = await Promise.all([ask(), ask()]);
    expect(first).toContain('"source-document"');
    expect(same).toBe(first);
    await caudex.kill('backend', 'SIGTERM');
    await caudex.launch('backend');
    expect(await ask()).toBe(first);
    expect(large.requests).toHaveLength(1);
  }, 60_000);
});
