import { type App, Caudex, type Person, until } from './caudex.js';
import { chunk, END, FakeLlm } from './fake-llm.js';

const QUESTION = 'Where does the orchard lie?';
const SHARED_KEY = 'the-same-idempotency-key';
/** The valid statuses for requests about another user's data while a server is down. */
const STATUS_OF_THEIRS: Record<string, number[]> = {
  chroma: [404],
  git: [404, 503],
  filesystem: [200, 404, 503],
};

interface Side {
  person: Person;
  secret: string;
  project: string;
  version: string;
  conversation: string;
  message: string;
}

/** Two users make the same requests with the same names; only their texts differ. */
describe('two people with the same names for everything', () => {
  let caudex: Caudex;
  let llm: FakeLlm;
  let sides: [Side, Side];

  beforeAll(async () => {
    llm = await FakeLlm.start();
    // A model that repeats its whole prompt.
    llm.behaviour = ({ messages }, reply) => {
      reply.writeHead(200, { 'content-type': 'text/event-stream' });
      reply.end(chunk(messages.map(({ content }) => content).join('\n')) + END);
    };
    caudex = await Caudex.start({ LLM_BASE_URL: llm.url, LLM_MODEL: 'fake-1' });
    const [ada, bob] = await Promise.all([side('Xanadu'), side('Ruritania')]);
    sides = [ada, bob];
  }, 60_000);
  afterAll(async () => {
    await caudex.stop();
    await llm.stop();
  });

  async function side(secret: string): Promise<Side> {
    const person = await caudex.signUp();
    const json = { 'content-type': 'application/json', 'idempotency-key': SHARED_KEY };
    const made = await person.request('POST', '/v1/api/projects', '{"name":"Notes"}', json);
    const { project_id: project } = (await made.json()) as { project_id: string };
    const put = (path: string, text: string) =>
      person.request('PUT', `/v1/api/projects/${project}/documents/${path}`, text, {
        'content-type': 'text/markdown',
        'idempotency-key': `${SHARED_KEY}-${path}`,
      });
    const { version } = (await (
      await put('orchard.md', `# Orchard\n\nThe orchard lies in ${secret}. See [the plan](plan.md).\n`)
    ).json()) as { version: string };
    await put('plan.md', `# Plan\n\nThe plan of the orchard is kept in ${secret}.\n`);
    await until('it is indexed', async () => (await person.search(project, 'orchard')).total === 2);
    await until('it is committed', async () => {
      const history = await person.get<{ total: number }>(`/v1/api/projects/${project}/history`);
      return history.total === 2;
    });
    const body = JSON.stringify({ message: QUESTION, project_id: project });
    const asked = await person.request('POST', '/v1/api/chat', body, { ...json, 'idempotency-key': 'chat' });
    const chat = (await asked.json()) as { conversation_id: string; message_id: string; response: string };
    expect(chat.response).toContain(secret);
    return { person, secret, project, version, conversation: chat.conversation_id, message: chat.message_id };
  }

  /** Every route that names a project, its conversation or its answer. */
  function addresses({ project, version, conversation, message }: Side): string[] {
    const inProject = `/v1/api/projects/${project}`;
    const q = encodeURIComponent(QUESTION);
    return [
      inProject,
      `${inProject}/documents`,
      `${inProject}/documents/orchard.md`,
      `${inProject}/documents/orchard.md?version=${version}`,
      `${inProject}/index`,
      `${inProject}/history`,
      `${inProject}/history?path=orchard.md`,
      `${inProject}/diff?path=orchard.md&from=${version}&to=${version}`,
      `${inProject}/blame?path=orchard.md`,
      `${inProject}/graph`,
      `${inProject}/related?path=orchard.md`,
      `/v1/api/search?q=${q}&project_id=${project}`,
      `/v1/api/search?q=${q}&project_id=${project}&mode=vector`,
      `/v1/api/search?q=${q}&project_id=${project}&mode=fulltext`,
      `/v1/api/chat?message=${q}&project_id=${project}`,
      `/v1/api/chat?message=${q}&conversation_id=${conversation}`,
      `/v1/api/conversations/${conversation}`,
      `/v1/api/conversations/${conversation}?format=markdown`,
      `/v1/api/chat/${message}/stream`,
      `/v1/models/caudex:${project}`,
    ];
  }
  const MINE = ['/v1/api/projects', '/v1/api/conversations', '/v1/api/billing/usage', '/v1/models'];

  async function read({ person }: Side, address: string): Promise<{ status: number; text: string }> {
    const answer = await person.request('GET', address);
    return { status: answer.status, text: await answer.text() };
  }

  /** Checks that each user sees their own data and none of the other's. */
  async function nobodySeesTheOther(statusOfTheirs: readonly number[]): Promise<void> {
    for (const [me, other] of [sides, [sides[1], sides[0]]] as [Side, Side][]) {
      for (const address of [...MINE, ...addresses(me)]) {
        const { text } = await read(me, address);
        expect({ address, text }).not.toMatchObject({ text: expect.stringContaining(other.secret) as string });
      }
      for (const address of addresses(other)) {
        const { status, text } = await read(me, address);
        expect({ address, text }).not.toMatchObject({ text: expect.stringContaining(other.secret) as string });
        expect({ address, status, allowed: statusOfTheirs.includes(status) }).toEqual({
          address,
          status,
          allowed: true,
        });
      }
    }
  }

  it('are separated while all services work, and each sees their own data', async () => {
    for (const me of sides) {
      for (const address of addresses(me).filter((one) => /documents\/|search|chat\?|conversations/.test(one))) {
        expect(await read(me, address)).toMatchObject({
          status: 200,
          text: expect.stringContaining(me.secret) as string,
        });
      }
    }
    await nobodySeesTheOther([404]);
  }, 30_000);

  it('got answers of their own for the same idempotency keys', () => {
    const [ada, bob] = sides;
    expect(ada.project).not.toBe(bob.project);
    expect(ada.version).not.toBe(bob.version);
    expect(ada.message).not.toBe(bob.message);
  });

  it.each([
    ['documents', 'PUT', (side: Side) => `/v1/api/projects/${side.project}/documents/orchard.md`, 'mine now'],
    ['documents', 'DELETE', (side: Side) => `/v1/api/projects/${side.project}/documents/orchard.md`, undefined],
    ['the project', 'DELETE', (side: Side) => `/v1/api/projects/${side.project}`, undefined],
    ['the conversation', 'DELETE', (side: Side) => `/v1/api/conversations/${side.conversation}`, undefined],
    ['the answer', 'DELETE', (side: Side) => `/v1/api/chat/${side.message}/stream`, undefined],
  ])("can't change %s of the other: %s", async (_what, method, address, body) => {
    const [ada, bob] = sides;
    const answer = await bob.person.request(method, address(ada), body, body ? { 'content-type': 'text/plain' } : {});
    expect(answer.status).toBe(404);
    expect((await read(ada, `/v1/api/projects/${ada.project}/documents/orchard.md`)).text).toContain(ada.secret);
  });

  it("can't chat over the other's project through the OpenAI protocol", async () => {
    const [ada, bob] = sides;
    const body = { model: `caudex:${ada.project}`, messages: [{ role: 'user', content: QUESTION }] };
    const answer = await bob.person.request('POST', '/v1/chat/completions', JSON.stringify(body), {
      'content-type': 'application/json',
    });
    expect(answer.status).toBe(404);
    expect(await answer.text()).not.toContain(ada.secret);
  });

  // Without filesystem the owner of a project is unknown: a search in another user's project finds nothing.
  it.each(['chroma', 'git', 'filesystem'] as App[])(
    'are told apart when %s is dead too',
    async (app) => {
      await caudex.kill(app);
      await nobodySeesTheOther(STATUS_OF_THEIRS[app] as number[]);
    },
    60_000,
  );
});
