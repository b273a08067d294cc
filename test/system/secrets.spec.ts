import { Caudex, until } from './caudex.js';
import { chunk, END, FakeLlm } from './fake-llm.js';

const PLANTED = {
  password: 'planted-password-of-ada',
  wrongPassword: 'planted-wrong-password',
  internalToken: 'planted-internal-token-0123456789abcdef',
  llmKey: 'planted-llm-key',
  document: 'planteddocumentword',
  question: 'plantedquestionword',
  answer: 'plantedanswerword',
  failure: 'plantedfailureword',
  brokenBody: 'plantedbrokenbodyword',
  badToken: 'planted.bad.token',
  projectName: 'plantedprojectname',
};

it('writes no secrets and no words of users to a log, at the most verbose level and during failures', async () => {
  const llm = await FakeLlm.start();
  const caudex = await Caudex.start({
    LOG_LEVEL: 'trace',
    LLM_BASE_URL: llm.url,
    LLM_MODEL: 'fake-1',
    LLM_API_KEY: PLANTED.llmKey,
    INTERNAL_SERVICE_TOKEN: PLANTED.internalToken,
  });
  const tokens: string[] = [];
  try {
    const stranger = (path: string, body: string, headers = {}) =>
      fetch(caudex.url + path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
    const account = (password: string) => JSON.stringify({ email: 'ada@example.org', password });
    expect((await stranger('/v1/api/auth/register', account(PLANTED.password))).status).toBe(201);
    const signedIn = (await (await stranger('/v1/api/auth/login', account(PLANTED.password))).json()) as {
      token: string;
    };
    expect((await stranger('/v1/api/auth/login', account(PLANTED.wrongPassword))).status).toBe(401);
    tokens.push(signedIn.token);
    const { person } = { person: Object.assign(await caudex.signUp(), { token: signedIn.token }) };
    const project = await person.project(PLANTED.projectName);
    const ask = `${PLANTED.question} ${PLANTED.document}`;

    llm.behaviour = (_request, reply) => {
      reply.writeHead(200, { 'content-type': 'text/event-stream' });
      reply.end(chunk(PLANTED.answer) + END);
    };
    const useEverything = async () => {
      await person.request('PUT', `/v1/api/projects/${project}/documents/a.md`, `# ${PLANTED.document}\n\nHere.`, {
        'content-type': 'text/markdown',
      });
      await person.search(project, PLANTED.document);
      await person.request('GET', `/v1/api/search?q=${PLANTED.question}&project_id=${project}`);
      await person.chat(project, ask);
      await person.chatStream(project, ask);
      await person.request('GET', `/v1/api/chat?message=${PLANTED.question}&project_id=${project}`);
      await fetch(`${caudex.url}/v1/api/projects`, { headers: { cookie: `auth_token=${person.token}` } });
    };
    await useEverything();
    await until('it is indexed', async () => (await person.search(project, PLANTED.document)).source === 'hybrid');

    // Bad input of every kind.
    await person.request('POST', '/v1/api/chat', `{"message":"${PLANTED.brokenBody}`, {
      'content-type': 'application/json',
    });
    await person.post('/v1/api/chat', { message: PLANTED.brokenBody, [PLANTED.brokenBody]: 1 }, 400);
    await person.request('PUT', `/v1/api/projects/${project}/documents/a.pdf`, PLANTED.brokenBody, {
      'content-type': 'application/pdf',
    });
    await fetch(`${caudex.url}/v1/api/projects`, { headers: { authorization: `Bearer ${PLANTED.badToken}` } });
    await fetch(`http://127.0.0.1:${caudex.ports.filesystem}/projects`, {
      headers: { 'x-internal-token': PLANTED.badToken },
    });

    // A model that fails with an error message.
    llm.behaviour = (_request, reply) =>
      void reply.writeHead(500).end(JSON.stringify({ error: { message: PLANTED.failure + PLANTED.answer } }));
    await useEverything();
    llm.behaviour = (_request, reply) => {
      reply.writeHead(200, { 'content-type': 'text/event-stream' });
      reply.end(`data: {"choices": "${PLANTED.failure}"}\n\n`);
    };
    await useEverything();

    for (const app of ['chroma', 'git', 'billing', 'filesystem'] as const) await caudex.kill(app);
    await useEverything();
    await caudex.kill('auth');
    await useEverything();
    await person.request('POST', '/v1/api/auth/logout');
  } finally {
    await caudex.stop();
    await llm.stop();
  }
  const log = caudex.output.join('');
  expect(log.split('\n').length).toBeGreaterThan(100);
  // The calls themselves are logged.
  expect(log).toContain('[Chroma Server] POST /query');
  for (const [what, secret] of Object.entries({ ...PLANTED, token: tokens[0] as string })) {
    const lines = log.split('\n').filter((line) => line.includes(secret));
    expect({ what, lines }).toEqual({ what, lines: [] });
  }
}, 90_000);
