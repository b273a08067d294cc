import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Caudex, type Person } from './caudex.js';

interface Result {
  isError?: boolean;
  content: { text: string }[];
}

describe('the MCP server, asked by the official client', () => {
  let caudex: Caudex;
  let ann: Person;
  let project: string;
  let client: Client;

  async function connect(token: string): Promise<Client> {
    const made = new Client({ name: 'test', version: '1' });
    const headers = { authorization: `Bearer ${token}` };
    await made.connect(new StreamableHTTPClientTransport(new URL(`${caudex.url}/mcp`), { requestInit: { headers } }));
    return made;
  }

  async function call(name: string, input: object, by = client) {
    const result = (await by.callTool({ name, arguments: { ...input } })) as unknown as Result;
    return { isError: result.isError === true, text: result.content[0]?.text ?? '' };
  }
  const read = async (name: string, input: object) =>
    JSON.parse((await call(name, input)).text) as Record<string, unknown>;

  beforeAll(async () => {
    caudex = await Caudex.start();
    ann = await caudex.signUp();
    project = await ann.project('Pears');
    await ann.upload(project, 'fruit/pears.md', '# Pears\n\nPears ripen in September.');
    client = await connect(ann.token);
  }, 120_000);
  afterAll(async () => {
    await client.close();
    await caudex.stop();
  });

  it('lists its tools, each with a description', async () => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name).sort()).toEqual([
      'ask',
      'document_history',
      'list_documents',
      'list_projects',
      'read_document',
      'search',
    ]);
    expect(tools.every(({ description }) => (description ?? '').length > 10)).toBe(true);
  });

  it('finds passages and reads the document at their place', async () => {
    const found = await read('search', { project_id: project, query: 'when do pears ripen' });
    expect(found).toMatchObject({ degraded: false, outcome: 'found' });
    const [first] = found['results'] as { document: string; start: number; end: number }[];
    const text = await read('read_document', { project_id: project, path: first?.document, start: first?.start });
    expect(text['text']).toContain('September');
    const resource = await client.readResource({ uri: `caudex://${project}/fruit/pears.md` });
    expect(JSON.stringify(resource)).toContain('September');
  });

  it('lists documents as resources, each of which it reads by its address', async () => {
    await ann.upload(project, 'fruit/50%25%20%231%3F.md', '# Half\n\nHalf of the quinces.');
    const { resources } = await client.listResources();
    expect(resources.map(({ name, title }) => [name, title])).toEqual([
      ['fruit/50% #1?.md', 'Half'],
      ['fruit/pears.md', 'Pears'],
    ]);
    const { contents } = await client.readResource({ uri: resources[0]?.uri ?? '' });
    expect(JSON.stringify(contents)).toContain('quinces');
  });

  it('answers a question with its sources', async () => {
    const answer = await read('ask', { project_id: project, question: 'When do pears ripen?' });
    expect(answer['answer']).toContain('September');
    expect(answer['sources']).toMatchObject([{ document: 'fruit/pears.md' }]);
    const elsewhere = { project_id: project, question: 'When do pears ripen?', paths: ['cellar/'] };
    expect(await read('ask', elsewhere)).toMatchObject({ sources: [] });
  });

  it('reports errors as a result', async () => {
    expect(await call('read_document', { project_id: project, path: 'none.md' })).toMatchObject({ isError: true });
    const other = await call('search', { project_id: 'not-mine', query: 'x' });
    expect(other).toMatchObject({ isError: true, text: expect.stringContaining('not_found') });
  });

  it('limits a key to its project and its scopes', async () => {
    const { key } = await ann.post<{ key: string }>(
      '/v1/api/keys',
      { name: 'agent', scopes: ['read'], project_id: project },
      201,
    );
    const agent = await connect(key);
    expect((await call('search', { project_id: project, query: 'pears' }, agent)).isError).toBe(false);
    expect((await call('ask', { project_id: project, question: 'Pears?' }, agent)).text).toContain('key_scope');
    const plums = await ann.project('Plums');
    expect((await call('search', { project_id: plums, query: 'pears' }, agent)).text).toContain('key_scope');
    await agent.close();
  });

  it('is refused without a token', async () => {
    await expect(connect('nonsense')).rejects.toThrow();
  });

  it('reports an outage of a service in its result', async () => {
    await caudex.kill('chroma');
    expect(await read('search', { project_id: project, query: 'pears' })).toMatchObject({
      degraded: true,
      degradation: [{ service: 'chroma' }],
      source: 'fulltext',
    });
  });
});
