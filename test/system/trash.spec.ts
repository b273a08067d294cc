import { docx, paragraph } from '../sample-files.js';
import { Caudex, type Person, until } from './caudex.js';
import { filesWith } from './files-with.js';

const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';

interface Trash {
  documents: { path: string; version: string; deleted_at: string; expires_at: string }[];
  total: number;
}

describe('the trash of a project', () => {
  let caudex: Caudex;
  let person: Person;
  let project: string;
  beforeAll(async () => {
    caudex = await Caudex.start();
    person = await caudex.signUp();
  }, 60_000);
  afterAll(() => caudex.stop());
  beforeEach(async () => {
    project = await person.project();
  });

  const at = (rest: string) => `/v1/api/projects/${project}/${rest}`;
  const trash = () => person.get<Trash>(at('trash'));
  const restore = (body: object, status = 200) =>
    person.post<{ version: string; code: string; detail: string }>(at('trash/restore'), body, status);
  const empty = async (query = '') => {
    const answer = await person.request('DELETE', at(`trash${query}`));
    expect(answer.status).toBe(200);
    return ((await answer.json()) as { removed: number }).removed;
  };
  const found = async (query: string) => (await person.search(project, query)).results.map(({ document }) => document);

  it('restores a document with its original, index and history', async () => {
    const letter = docx(paragraph('The wombat digs a burrow.'));
    const url = at('documents/letters/wombat.docx');
    await person.request('PUT', url, new Uint8Array(letter), { 'content-type': DOCX });
    await person.delete(`${url}?trash=true`);
    await person.get(url, 404);
    await until('it is not found', async () => (await found('wombat')).length === 0);
    const { documents, total } = await trash();
    expect(total).toBe(1);
    expect(documents[0]).toMatchObject({ path: 'letters/wombat.docx', media_type: DOCX });
    const [{ deleted_at, expires_at } = { deleted_at: '', expires_at: '' }] = documents;
    expect(Date.parse(expires_at) - Date.parse(deleted_at)).toBe(30 * 86_400_000);

    const { version } = await restore({ path: 'letters/wombat.docx' });
    expect((await trash()).total).toBe(0);
    const original = await person.request('GET', `${url}?original=true`);
    expect(Buffer.from(await original.arrayBuffer()).equals(letter)).toBe(true);
    await until('it is found again', async () => (await found('wombat'))[0] === 'letters/wombat.docx');
    const { versions } = await person.get<{ versions: { version: string; message: string }[] }>(
      at('history?path=letters/wombat.docx'),
    );
    expect(versions.map(({ message }) => message.split(' ')[0])).toEqual(['Restore', 'Delete', 'Save']);
    expect(versions[0]?.version).toBe(version);
    expect(await restore({ path: 'letters/wombat.docx' }, 404)).toMatchObject({ code: 'not_found' });
  });

  it('restores none over another document, and of several the one that is asked for', async () => {
    await person.upload(project, 'a.md', 'first');
    await person.delete(at('documents/a.md?trash=true'));
    await person.upload(project, 'a.md', 'second');
    expect(await restore({ path: 'a.md' }, 409)).toMatchObject({ code: 'path_taken' });
    await person.delete(at('documents/a.md?trash=true'));
    const { documents } = await trash();
    expect(documents.map(({ path }) => path)).toEqual(['a.md', 'a.md']);
    await restore({ path: 'a.md', version: documents[1]?.version });
    expect(await (await person.request('GET', at('documents/a.md'))).text()).toBe('first');
    expect((await trash()).documents.map(({ version }) => version)).toEqual([documents[0]?.version]);
  });

  it('restores once where the request is repeated', async () => {
    await person.upload(project, 'a.md', 'text');
    await person.delete(at('documents/a.md?trash=true'));
    const send = async () => {
      const headers = { 'content-type': 'application/json', 'idempotency-key': project };
      const answer = await person.request('POST', at('trash/restore'), '{"path":"a.md"}', headers);
      return [answer.status, await answer.json()];
    };
    const first = await send();
    expect(first[0]).toBe(200);
    expect(await send()).toEqual(first);
  });

  it('leaves no file of what is removed from it, nor of what is deleted without it or with its project', async () => {
    const gone = (marker: string) =>
      until('no file holds it', async () => filesWith(caudex.dataDir, marker).length === 0, 10_000).catch(() =>
        expect(filesWith(caudex.dataDir, marker)).toEqual([]),
      );
    const put = async (path: string, marker: string) => {
      await person.upload(project, path, `The ${marker} lives on the island.`);
      await until('it is indexed', async () => (await person.search(project, marker)).source === 'hybrid');
    };
    await put('a.md', 'numbatmarkerone');
    await person.delete(at('documents/a.md'));
    await gone('numbatmarkerone');

    await put('b.md', 'numbatmarkertwo');
    await put('c.md', 'numbatmarkerthree');
    for (const path of ['b.md', 'c.md']) await person.delete(at(`documents/${path}?trash=true`));
    expect(filesWith(caudex.dataDir, 'numbatmarkertwo')).not.toEqual([]);
    expect(await empty('?path=other.md')).toBe(0);
    expect(await empty('?path=b.md')).toBe(1);
    await gone('numbatmarkertwo');
    expect((await trash()).documents.map(({ path }) => path)).toEqual(['c.md']);
    expect(await empty()).toBe(1);
    await gone('numbatmarkerthree');

    await put('d.md', 'numbatmarkerfour');
    await person.delete(at('documents/d.md?trash=true'));
    await person.delete(`/v1/api/projects/${project}`);
    await gone('numbatmarkerfour');
  }, 60_000);

  it('says what is wrong with a request, and belongs to its owner alone', async () => {
    await person.upload(project, 'a.md', 'text');
    await person.delete(at('documents/a.md?trash=true'));
    const wrong = async (method: string, url: string, body?: string) => {
      const answer = await person.request(method, url, body, { 'content-type': 'application/json' });
      return [answer.status, ((await answer.json()) as { detail: string }).detail];
    };
    expect(await wrong('DELETE', at('documents/a.md?trash=yes'))).toEqual([400, expect.stringContaining('trash')]);
    expect(await wrong('DELETE', at('trash?version=v'))).toEqual([400, expect.stringContaining('path')]);
    expect(await wrong('POST', at('trash/restore'), '{"path":"../x"}')).toEqual([400, expect.stringContaining('..')]);
    const other = await caudex.signUp();
    await other.get(at('trash'), 404);
    await other.post(at('trash/restore'), { path: 'a.md' }, 404);
    expect((await other.request('DELETE', at('trash'))).status).toBe(404);
    expect((await trash()).total).toBe(1);
  });
});
