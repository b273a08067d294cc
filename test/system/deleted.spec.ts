import { Caudex, type ChatAnswer, type Person, until } from './caudex.js';
import { filesWith } from './files-with.js';

const MARKER = 'quokkamarkerxyz';
const PASSAGE = `The ${MARKER} lives on the island.`;
const QUESTION = 'Where does the animal of the note live on the island?';

describe('deleted data', () => {
  let caudex: Caudex;
  let person: Person;
  let project: string;
  let chat: ChatAnswer;

  beforeAll(async () => {
    caudex = await Caudex.start();
  }, 60_000);
  afterAll(() => caudex.stop());
  beforeEach(async () => {
    person = await caudex.signUp();
    project = await person.project();
    await person.upload(project, 'note.md', `# Note\n\n${PASSAGE}`);
    await until('it is indexed', async () => (await person.search(project, MARKER)).source === 'hybrid');
    chat = await ask();
    expect(chat.response).toContain(MARKER);
    await until('the turn is stored', async () => (await turns()) === 1);
  });

  const turns = async () =>
    (await person.get<{ turns: unknown[] }>(`/v1/api/conversations/${chat.conversation_id}`)).turns.length;
  async function ask(status = 200): Promise<ChatAnswer> {
    const answer = await person.request(
      'POST',
      '/v1/api/chat',
      JSON.stringify({ project_id: project, message: QUESTION }),
      { 'content-type': 'application/json', 'idempotency-key': 'k-1' },
    );
    expect(answer.status).toBe(status);
    return (await answer.json()) as ChatAnswer;
  }
  const replay = async () => (await person.request('GET', `/v1/api/chat/${chat.message_id}/stream`)).status;

  it('of a project are in no answer, no stream and no file', async () => {
    expect((await ask()).message_id).toBe(chat.message_id);
    expect(await replay()).toBe(200);
    expect(filesWith(caudex.dataDir, MARKER)).not.toEqual([]);
    await person.delete(`/v1/api/projects/${project}`);
    expect(await replay()).toBe(404);
    expect(JSON.stringify(await ask(410))).not.toContain(MARKER);
    await until('no file holds it', async () => filesWith(caudex.dataDir, MARKER).length === 0, 10_000).catch(() =>
      expect(filesWith(caudex.dataDir, MARKER)).toEqual([]),
    );
  }, 30_000);

  it('of a conversation are in no answer and no stream', async () => {
    await person.delete(`/v1/api/conversations/${chat.conversation_id}`);
    expect(await replay()).toBe(404);
    await ask(410);
    await person.get(`/v1/api/conversations/${chat.conversation_id}`, 404);
  });

  it('of a document are quoted by no stored answer', async () => {
    await person.delete(`/v1/api/projects/${project}/documents/note.md`);
    expect(await replay()).toBe(404);
    expect(JSON.stringify(await ask(410))).not.toContain(MARKER);
    expect((await person.search(project, MARKER)).results).toEqual([]);
  });

  it('never include data of another user', async () => {
    const other = await caudex.signUp();
    const mine = { 'content-type': 'application/json', 'idempotency-key': 'k-1' };
    const first = await other.request('POST', '/v1/api/chat', '{"message":"hello"}', mine);
    const { message_id } = (await first.json()) as ChatAnswer;
    await person.delete(`/v1/api/projects/${project}`);
    const again = await other.request('POST', '/v1/api/chat', '{"message":"hello"}', mine);
    expect(((await again.json()) as ChatAnswer).message_id).toBe(message_id);
  });
});
