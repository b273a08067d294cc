import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Passage } from '../src/contract/passage.contract.js';
import { ChromaServer, type QueryAnswer, temporaryDir, until } from './chroma-process.js';

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('the chroma server', () => {
  let server: ChromaServer;
  beforeAll(async () => {
    server = await new ChromaServer(temporaryDir()).start();
  });
  afterAll(() => server.end('SIGTERM'));

  it('finds passages by words and by vectors, with their place in the document', async () => {
    const text = 'Bees make honey.\n\nThe hive is warm in winter.';
    await server.upsert('bees', 'bees.txt', text);
    for (const mode of ['hybrid', 'vector']) {
      const answer = await server.query('bees', 'a warm hive', mode);
      expect(answer).toMatchObject({ source: mode, passages: 1, total: 1 });
      const [passage] = answer.results as [Passage];
      expect(passage.text).toBe(text.slice(passage.start, passage.end));
      expect(passage.highlights).toEqual(['The hive is warm in winter.']);
    }
  });

  it('explains why it found each passage, and its corrections, where this is requested', async () => {
    await server.upsert('why', 'pears', 'Pears ripen in the orchard.');
    const ask = (query: string, more: object) =>
      server.call<QueryAnswer>('POST', '/query', { project_id: 'why', query, limit: 10, ...more });
    const [hybrid, vector, silent] = await Promise.all([
      ask('ripe pears', { explain: true }),
      ask('ripe pears', { explain: true, mode: 'vector' }),
      ask('ripe pears', {}),
    ]);
    expect(hybrid.results[0]?.explain).toMatchObject({ words: ['pears'], meaning: expect.any(Number) as number });
    expect(hybrid.results[0]?.explain?.lists.map(({ list, place }) => [list, place])).toEqual([
      ['words', 1],
      ['meaning', 1],
    ]);
    expect(vector.results[0]?.explain?.lists.map(({ list }) => list)).toEqual(['meaning']);
    expect(silent.results[0]).not.toHaveProperty('explain');
    expect(await ask('orchrad', {})).toMatchObject({ total: 1, corrections: [{ from: 'orchrad', to: 'orchard' }] });
  });

  it('indexes several documents in one call, each version once', async () => {
    const document = (path: string, text: string, version = 'v1') => ({
      ...{ path, version, title: path, media_type: 'text/plain', text },
    });
    const send = (documents: object[]) =>
      server.call<{ documents: { passages: number; version: string }[] }>('POST', '/documents/batch', {
        project_id: 'batch',
        documents,
      });
    const many = Array.from({ length: 120 }, (_, i) => document(`d${i}`, `Number${i} swims.`));
    const first = await send(many);
    expect(first.documents).toEqual(many.map(() => ({ passages: 1, version: 'v1' })));
    expect(await send(many)).toEqual(first);
    expect(await server.query('batch', 'number77')).toMatchObject({ passages: 120, total: 1 });
    await send([document('d7', 'Number7 flies.', 'v2'), document('d8', '', 'v2')]);
    expect(await server.query('batch', 'flies')).toMatchObject({ total: 1 });
    expect(await server.query('batch', 'swims')).toMatchObject({ total: 118 });
  });

  it('distinguishes an empty project from one without matches', async () => {
    expect(await server.query('nobody', 'anything')).toEqual({ results: [], total: 0, source: 'hybrid', passages: 0 });
    await server.upsert('one', 'a', 'Salt.');
    for (const query of ['', ' ', 'the of', 'xylophone', '"salt pepper"']) {
      expect(await server.query('one', query)).toEqual({ results: [], total: 0, source: 'hybrid', passages: 1 });
    }
  });

  it('leaves out passages that are unrelated to the question', async () => {
    await server.upsert('two', 'salt', 'Salt and pepper.');
    await server.upsert('two', 'sugar', 'Sugar is sweet.');
    for (const mode of ['hybrid', 'vector']) expect(await server.found('two', 'sugar', mode)).toEqual(['sugar']);
  });

  it('accepts many concurrent documents, some of them twice', async () => {
    const upserts = Array.from({ length: 60 }, (_, i) =>
      server.upsert('many', `d${i % 40}`, `Word${i % 40}.`, `v${i}`),
    );
    await Promise.all(upserts);
    expect(await server.call('GET', '/projects/many')).toMatchObject({ documents: 40, passages: 40 });
    for (const i of [0, 19, 39]) expect(await server.found('many', `word${i}`)).toEqual([`d${i}`]);
  });

  it('indexes a version once, and removes deleted passages', async () => {
    await server.upsert('p', 'a', 'Old words about copper.', 'v1');
    await server.upsert('p', 'a', 'A text that is not looked at: v1 is there.', 'v1');
    expect(await server.found('p', 'copper')).toEqual(['a']);
    await server.upsert('p', 'a', 'New words about zinc.', 'v2');
    await server.upsert('p', 'b', 'Tin and lead.', 'v1');
    expect(await server.found('p', 'copper')).toEqual([]);
    expect(await server.found('p', 'zinc', 'vector')).toContain('a');
    expect(await server.call('GET', '/projects/p')).toMatchObject({ documents: 2, passages: 2, stale_passages: 0 });

    expect(await server.call('POST', '/documents/remove', { project_id: 'p', path: 'a' })).toEqual({ removed: true });
    expect(await server.call('POST', '/documents/remove', { project_id: 'p', path: 'a' })).toEqual({ removed: false });
    expect(await server.found('p', 'zinc', 'vector')).toEqual([]);
    expect(await server.call('DELETE', '/projects/p')).toEqual({ removed: true });
    expect(await server.call('DELETE', '/projects/p')).toEqual({ removed: false });
    expect(await server.query('p', 'tin')).toMatchObject({ results: [], passages: 0 });
  });

  it('indexes a new document and the one that was moved away from its path when both arrive together', async () => {
    const upsert = (path: string, version: string, text: string, more: object = {}) =>
      server.call('POST', '/documents', {
        ...{ project_id: 'moved', path, version, title: 'Trees', media_type: 'text/markdown', text, ...more },
      });
    const section = (tree: string, seeds: string) => `# ${tree}\n\n${`The ${tree} drops ${seeds}. `.repeat(80)}\n\n`;
    const before = section('oak', 'acorns') + section('elm', 'samaras');
    await upsert('a.md', 'v1', before);
    await Promise.all([
      // A long one, during which the others arrive; with more passages an embedder would be trained, for which these are too few.
      upsert('other.md', 'v2', 'Salt and pepper. '.repeat(2000)),
      upsert('a.md', 'v3', section('oak', 'acorns') + section('fir', 'cones')),
      upsert('b.md', 'v4', before, { moved_from: { path: 'a.md', version: 'v1' } }),
    ]);
    expect(await server.call('GET', '/projects/moved')).toMatchObject({ documents: 3 });
    expect(await server.found('moved', 'samaras')).toEqual(['b.md']);
    expect(await server.found('moved', 'cones')).toEqual(['a.md']);
  });

  it('finds by their vectors at once passages that ChromaDB receives later, and each of them once', async () => {
    await server.upsert('soon', 'first', 'The first note about granite.');
    for (let i = 0; i < 5; i++) {
      await server.upsert('soon', `d${i}`, `Note number${i} about things.`);
      expect(await server.found('soon', `number${i}`, 'vector')).toContain(`d${i}`);
    }
    const { results } = await server.query('soon', 'number0 number4 granite', 'vector');
    const found = results.map(({ document }) => document);
    expect(found).toHaveLength(new Set(found).size);
    expect(found).toEqual(expect.arrayContaining(['first', 'd0', 'd4']));
  });

  it('separates users whose projects have the same name', async () => {
    await server.upsert('same', 'a', 'Ann hides silver.', 'v1', 'ann');
    await server.upsert('same', 'a', 'Bob has sugar.', 'v1', 'bob');
    for (const mode of ['hybrid', 'vector']) {
      const { results } = await server.query('same', 'Ann hides silver, Bob has sugar', mode, 'bob');
      expect(results.map((passage) => passage.text)).toEqual(['Bob has sugar.']);
    }
    await server.call('DELETE', '/projects/same', undefined, 'bob');
    expect(await server.found('same', 'silver', 'hybrid', 'ann')).toEqual(['a']);
  });

  it('trains an embedder on the project in the background', async () => {
    const topics = [
      ['automobile', 'engine', 'wheel', 'road', 'driver'],
      ['car', 'engine', 'wheel', 'road', 'driver'],
      ['violin', 'string', 'bow', 'concert', 'orchestra'],
      ['cake', 'flour', 'oven', 'butter', 'sugar'],
    ];
    const words = (i: number) => (topics[i % 4] as string[]).filter((_, j) => j === 0 || (i >> 2) % 4 !== j - 1);
    await Promise.all(
      Array.from({ length: 240 }, (_, i) => server.upsert('topics', `d${i}`, `${words(i).join(' ')} n${i}`)),
    );
    const state = () => server.call<{ embedder: string; stale_passages: number }>('GET', '/projects/topics');
    await until(async () => {
      const { embedder, stale_passages } = await state();
      return embedder.startsWith('latent') && stale_passages === 0;
    }, 'training');
    const near = await server.query('topics', 'automobile', 'vector');
    expect(near.results.length).toBe(10);
    const { results } = await server.call<QueryAnswer>('POST', '/query', {
      project_id: 'topics',
      query: 'automobile',
      mode: 'vector',
      limit: 100,
    });
    const kinds = new Set(results.map((passage) => passage.text.split(' ')[0]));
    expect(kinds).toEqual(new Set(['automobile', 'car']));
  });

  it('answers 503 while ChromaDB is unavailable and restarts it', async () => {
    await server.upsert('away', 'a', 'Salt.');
    const first = server.chromadbPid;
    process.kill(first, 'SIGKILL');
    await until(
      async () =>
        (await server.request('POST', '/query', { project_id: 'away', query: 'salt', limit: 1 })).status === 503,
      'a 503',
    );
    const refused = await server.request('POST', '/query', { project_id: 'away', query: 'salt', limit: 1 });
    if (refused.status === 503) {
      expect(refused.headers.get('retry-after')).toBe('1');
      expect(await refused.json()).toMatchObject({ code: 'chromadb_unavailable', retry_after: 1 });
    }
    await until(
      async () => (await server.found('away', 'salt', 'vector').catch(() => [] as string[])).includes('a'),
      'ChromaDB',
    );
    expect(server.chromadbPid).not.toBe(first);
  });
});

describe('the chroma server, killed', () => {
  it('leaves no ChromaDB behind, keeps acknowledged writes, and restores data that ChromaDB lost', async () => {
    const dataDir = temporaryDir();
    const server = await new ChromaServer(dataDir).start();
    const pid = server.chromadbPid;
    expect(isAlive(pid)).toBe(true);
    const acknowledged: string[] = [];
    const writing = Promise.allSettled(
      Array.from({ length: 40 }, async (_, i) => {
        await server.upsert('p', `d${i}`, `Note number${i} about things.`);
        acknowledged.push(`d${i}`);
      }),
    );
    await until(() => acknowledged.length >= 15, 'some acknowledgements');
    await server.end('SIGKILL');
    await writing;
    await until(() => !isAlive(pid), 'ChromaDB to end', 2000);

    await server.start();
    const found = await Promise.all(acknowledged.map((path) => server.found('p', `number${path.slice(1)}`, 'vector')));
    for (const [i, path] of acknowledged.entries()) expect(found[i]).toContain(path);
    await server.end('SIGTERM');

    rmSync(join(dataDir, 'chroma', 'chromadb'), { recursive: true });
    await server.start();
    await until(
      async () => (await server.found('p', 'number0', 'vector').catch(() => [] as string[])).includes('d0'),
      'the vectors',
    );
    await server.end('SIGTERM');
    await until(() => !isAlive(server.chromadbPid), 'ChromaDB to end', 2000);
  }, 30_000);

  it('does not start where ChromaDB cannot, and reports the reason', async () => {
    const dataDir = temporaryDir();
    mkdirSync(join(dataDir, 'chroma'));
    writeFileSync(join(dataDir, 'chroma', 'chromadb'), 'a file where a folder is needed');
    await expect(new ChromaServer(dataDir).start()).rejects.toThrow(/ChromaDB did not start on .*chromadb: /);
  });
});

describe('the chroma server with endpoints', () => {
  let endpoint: Server;
  let server: ChromaServer;
  const embedded: string[] = [];
  let rerankStatus = 200;
  /** `well`; `dead`: closes the connection; `silent`: never answers; `broken`: sends invalid answers. */
  let endpointState = 'well';

  beforeAll(async () => {
    // Counts of letters, which are enough to distinguish the texts.
    const vectorOf = (text: string) =>
      Array.from({ length: 26 }, (_, i) => text.toLowerCase().split(String.fromCharCode(97 + i)).length - 1);
    endpoint = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const { input, documents } = JSON.parse(body) as { input: string[]; documents: string[] };
        response.setHeader('content-type', 'application/json');
        if (request.url === '/v1/embeddings') {
          if (endpointState === 'silent') return;
          if (endpointState === 'dead') return void request.socket.destroy();
          if (endpointState === 'broken') return void response.end('{"data": "none"}');
          embedded.push(...input);
          response.end(JSON.stringify({ data: input.map((text, index) => ({ index, embedding: vectorOf(text) })) }));
        } else {
          response.statusCode = rerankStatus;
          const results = documents.map((_, index) => ({ index, relevance_score: index }));
          response.end(JSON.stringify(rerankStatus === 200 ? { results } : {}));
        }
      });
    }).listen(0, '127.0.0.1');
    await once(endpoint, 'listening');
    const url = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/v1`;
    server = await new ChromaServer(temporaryDir(), {
      EMBEDDINGS_BASE_URL: url,
      EMBEDDINGS_MODEL: 'letters',
      CAUDEX__CHROMA__RERANKER__URL: url,
      CAUDEX__CHROMA__RERANKER__MODEL: 'backwards',
    }).start();
  });
  afterAll(async () => {
    await server.end('SIGTERM');
    endpoint.close();
  });

  const embeddedAll = (project: string) =>
    until(async () => {
      const { stale_passages } = await server.call<{ stale_passages: number }>('GET', `/projects/${project}`);
      return stale_passages === 0;
    }, 'all passages to have vectors');

  it('embeds only passages that changed', async () => {
    const long = (word: string) => `${word} `.repeat(300).trim();
    const text = [long('apple'), long('berry'), long('cherry')].join('\n\n');
    const { passages } = await server.upsert('p', 'a', text, 'v1');
    await embeddedAll('p');
    expect(embedded).toHaveLength(passages);
    await server.upsert('p', 'a', text, 'v2');
    await embeddedAll('p');
    expect(embedded).toHaveLength(passages);
    await server.upsert('p', 'a', `${text}\n\n${long('damson')}`, 'v3');
    await embeddedAll('p');
    expect(embedded.length).toBeGreaterThan(passages);
    expect(embedded.length - passages).toBeLessThan(passages);
    expect((await server.call<{ embedder: string }>('GET', '/projects/p')).embedder).toBe('endpoint letters');
  });

  it('embeds nothing again for a document that was moved or copied', async () => {
    const text = '# Elder\n\nElderberries are dark.\n\n# Fig\n\nFigs are sweet.';
    const of = (path: string, version: string, more: object = {}) =>
      server.call('POST', '/documents', {
        ...{ project_id: 'm', path, version, title: 'Elder', media_type: 'text/markdown', text },
        ...more,
      });
    await of('a/elder.md', 'v1');
    await embeddedAll('m');
    const before = embedded.length;
    await of('b/bush.md', 'v2', { moved_from: { path: 'a/elder.md', version: 'v1' } });
    await embeddedAll('m');
    expect(await server.found('m', 'dark elderberries', 'vector')).not.toContain('a/elder.md');
    expect(await server.found('m', 'dark elderberries', 'vector')).toContain('b/bush.md');
    expect(await server.found('m', 'bush')).toContain('b/bush.md');
    // A document that the index has in another version is another document.
    await of('a/elder.md', 'v3', { text: '# Gooseberry\n\nGooseberries are sour.' });
    await embeddedAll('m');
    const own = embedded.length;
    expect(own).toBeGreaterThan(before);
    await of('c/bush.md', 'v4', { moved_from: { path: 'a/elder.md', version: 'v1' } });
    await embeddedAll('m');
    expect(embedded).toHaveLength(own);
    expect(await server.found('m', 'sour gooseberries')).toContain('a/elder.md');
    expect(await server.call('GET', '/projects/m')).toMatchObject({ documents: 3 });
  });

  describe.each(['dead', 'silent', 'broken'])('an endpoint that is %s', (state) => {
    afterEach(() => (endpointState = 'well'));

    it('delays one search by a fraction of a second and the next ones not at all; words are found, and it is used again later', async () => {
      await server.upsert(state, 'fox', 'The quick fox jumps.');
      await embeddedAll(state);
      endpointState = state;
      const timed = async () => {
        const startedAt = performance.now();
        const answer = await server.query(state, 'foxes');
        return { answer, tookMs: performance.now() - startedAt };
      };
      const first = await timed();
      expect(first.answer).toMatchObject({ source: 'fulltext', results: [{ document: 'fox' }] });
      expect(first.answer.not_embedded).toBe({ dead: 'unreachable', silent: 'timeout', broken: 'protocol' }[state]);
      expect(first.tookMs).toBeLessThan(1500);
      for (let i = 0; i < 3; i++) {
        const next = await timed();
        expect(next.answer).toMatchObject({ source: 'fulltext', total: 1, not_embedded: 'circuit_open' });
        expect(next.tookMs).toBeLessThan(350);
      }
      await server.upsert(state, 'hen', 'The slow hen sleeps.');
      expect(await server.found(state, 'hens')).toEqual(['hen']);
      endpointState = 'well';
      endpoint.closeAllConnections();
      await until(async () => (await server.query(state, 'hen')).source === 'hybrid', 'the endpoint to be asked again');
      await embeddedAll(state);
      const meaning = await server.query(state, 'slow hen sleeping', 'vector');
      expect(meaning).toMatchObject({ source: 'vector', results: [{ document: 'hen' }, { document: 'fox' }] });
    });
  });

  it('uses the order of the reranker, and works without it where it fails', async () => {
    await server.upsert('r', 'one', 'Lamp, lamp and lamp.');
    await server.upsert('r', 'two', 'A lamp among many other things that are no light at all.');
    expect(await server.found('r', 'lamp')).toEqual(['two', 'one']);
    rerankStatus = 500;
    expect(await server.found('r', 'lamp')).toEqual(['one', 'two']);
  });
});
