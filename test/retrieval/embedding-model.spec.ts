import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Worker } from 'node:worker_threads';
import type * as inference from '../../src/downstream/chroma/server/inference/inference-thread.js';
import { ChromaServer, temporaryDir, until } from '../chroma-process.js';
import { embeddingModel, relevanceModel, writeModel } from './tiny-model.js';

const DIST = process.env['CAUDEX_DIST'] ?? join(import.meta.dirname, '../../dist');
const run = promisify(execFile);

/** The vectors of "car" and "automobile" are equal. */
const MODEL = embeddingModel({ car: [1, 0, 0], automobile: [1, 0, 0], tree: [0, 1, 0], tax: [0, 0, 1] });
const TEXTS = { cars: 'The car stands outside.', trees: 'The tree is tall.', taxes: 'The tax is high.' };

async function filled(server: ChromaServer): Promise<void> {
  for (const [path, text] of Object.entries(TEXTS)) await server.upsert('p', path, text);
}

/** Waits until the project is embedded by the model; resolves to the name of its embedder. */
async function embedded(server: ChromaServer): Promise<string> {
  let embedder = '';
  await until(async () => {
    const state = await server.call<{ embedder: string; stale_passages: number }>('GET', '/projects/p');
    embedder = state.embedder;
    return embedder.startsWith('model ') && state.stale_passages === 0;
  }, 'the passages to be embedded by the model');
  return embedder;
}

describe('an embedding model in a folder', () => {
  it('finds passages by meaning without a common word, also where it was added after the documents', async () => {
    const dataDir = temporaryDir();
    const without = await new ChromaServer(dataDir).start();
    await filled(without);
    expect(await without.found('p', 'automobile')).toEqual([]);
    await without.end('SIGTERM');
    const dir = writeModel(join(temporaryDir(), 'tiny-words'), MODEL);
    const server = await new ChromaServer(dataDir, { EMBEDDINGS_MODEL_DIR: dir }).start();
    expect(await embedded(server)).toMatch(/^model tiny-words \(\d+ bytes\)$/);
    const answer = await server.query('p', 'automobile');
    expect(answer).toMatchObject({ source: 'hybrid', results: [{ document: 'cars' }] });
    expect(answer.not_embedded).toBeUndefined();
    expect(await server.found('p', 'tax')).toEqual(['taxes']);
    await server.end('SIGTERM');
  });

  it('keeps its vectors while its folder is unavailable, and is reported as a fault', async () => {
    const dataDir = temporaryDir();
    const dir = writeModel(join(temporaryDir(), 'tiny-words'), MODEL);
    const server = await new ChromaServer(dataDir, { EMBEDDINGS_MODEL_DIR: dir }).start();
    await filled(server);
    const embedder = await embedded(server);
    await server.end('SIGTERM');
    const away = await new ChromaServer(dataDir, { EMBEDDINGS_MODEL_DIR: join(dir, 'away') }).start();
    const answer = await away.query('p', 'tall tree');
    expect(answer).toMatchObject({ source: 'fulltext', not_embedded: 'fault', results: [{ document: 'trees' }] });
    expect((await away.call<{ embedder: string }>('GET', '/projects/p')).embedder).toBe(embedder);
    await away.end('SIGTERM');
  });

  it.each([
    ['does not exist', (dir: string) => join(dir, 'nothing'), 'does not exist'],
    [
      'has no tokenizer',
      (dir: string) => (execFileSync('rm', [join(dir, 'tokenizer.json')]), dir),
      'no tokenizer.json',
    ],
    [
      'holds something else than a model',
      (dir: string) => (writeFileSync(join(dir, 'model.onnx'), 'no'), dir),
      'model.onnx',
    ],
    ['holds half a tokenizer', (dir: string) => (writeFileSync(join(dir, 'tokenizer.json'), '{"a'), dir), 'JSON'],
  ])('costs an answer nothing where its folder %s, and is told of', async (_, broken, said) => {
    const dir = broken(writeModel(temporaryDir(), MODEL));
    const server = await new ChromaServer(temporaryDir(), { EMBEDDINGS_MODEL_DIR: dir }).start();
    await filled(server);
    await until(() => server.logged('The embedding model was not loaded') > 0, 'the log to say so');
    expect(server.logged(said)).toBeGreaterThan(0);
    const startedAt = performance.now();
    const answer = await server.query('p', 'tall tree');
    expect(performance.now() - startedAt).toBeLessThan(1000);
    expect(answer).toMatchObject({ source: 'hybrid', not_embedded: 'fault', results: [{ document: 'trees' }] });
    await server.end('SIGTERM');
  });

  it.each([
    ['', /^embeddings .* ok +3 dimensions$/m],
    ['nothing', /^embeddings .* FAILED +EMBEDDINGS_MODEL_DIR +.*nothing does not exist/m],
  ])('is tried by the command "check": %s', async (below, said) => {
    const dir = writeModel(temporaryDir(), MODEL);
    const env = { PATH: process.env['PATH'], NODE_ENV: 'test', EMBEDDINGS_MODEL_DIR: join(dir, below) };
    const { stdout } = await run(process.execPath, [join(DIST, 'main.js'), 'check'], { env }).catch(
      // It fails because the servers are not running.
      (error: unknown) => error as { stdout: string },
    );
    expect(stdout).toMatch(said);
  });

  it('does not delay an answer while it hangs', async () => {
    const dir = writeModel(temporaryDir(), MODEL);
    execFileSync('rm', [join(dir, 'tokenizer.json')]);
    // Reading a FIFO without a writer never ends.
    execFileSync('mkfifo', [join(dir, 'tokenizer.json')]);
    const server = await new ChromaServer(temporaryDir(), { EMBEDDINGS_MODEL_DIR: dir }).start();
    await filled(server);
    const startedAt = performance.now();
    expect(await server.found('p', 'tall tree')).toEqual(['trees']);
    expect(performance.now() - startedAt).toBeLessThan(1000);
    await server.end('SIGKILL');
  });
});

describe('an embedding model on a hub', () => {
  const download = (hubUrl: string) => ({
    CAUDEX__CHROMA__EMBEDDINGS__DOWNLOAD__MODEL: 'owner/tiny-words',
    CAUDEX__CHROMA__EMBEDDINGS__DOWNLOAD__HUB_URL: hubUrl,
  });

  it('is downloaded in the background, and used without the hub afterwards', async () => {
    const files: Record<string, Buffer> = {
      'model.onnx': Buffer.from(MODEL.model),
      'tokenizer.json': Buffer.from(MODEL.tokenizer),
    };
    const tree = Object.entries(files).map(([path, content]) => {
      const oid = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
      return { path, size: content.length, oid };
    });
    const hub = createServer(({ url = '' }, response) => {
      const file = files[url.replace('/owner/tiny-words/resolve/abcdef0/', '')];
      if (file !== undefined) response.end(file);
      else response.end(JSON.stringify(url.includes('/tree/') ? tree : { sha: 'abcdef0' }));
    }).listen(0, '127.0.0.1');
    await once(hub, 'listening');
    const settings = download(`http://127.0.0.1:${(hub.address() as AddressInfo).port}`);
    const dataDir = temporaryDir();
    const server = await new ChromaServer(dataDir, settings).start();
    await filled(server);
    expect(await embedded(server)).toMatch(/^model tiny-words /);
    expect(await server.found('p', 'automobile')).toEqual(['cars']);
    await server.end('SIGTERM');
    hub.closeAllConnections();
    hub.close();
    const again = await new ChromaServer(dataDir, settings).start();
    await until(
      async () => (await again.query('p', 'automobile')).results[0]?.document === 'cars',
      'the model to be loaded',
    );
    await again.end('SIGTERM');
  });

  it('is logged once where there is no network', async () => {
    const server = await new ChromaServer(temporaryDir(), download('http://127.0.0.1:9')).start();
    await filled(server);
    await until(() => server.logged('not fetched from http://127.0.0.1:9') > 0, 'the log to say so');
    expect(server.logged('embedding model')).toBe(1);
    const answer = await server.query('p', 'tall tree');
    expect(answer).toMatchObject({ source: 'hybrid', results: [{ document: 'trees' }] });
    expect(answer.not_embedded).toBeUndefined();
    await server.end('SIGTERM');
  });
});

describe('InferenceThread', () => {
  const built = join(DIST, 'downstream/chroma/server/inference/inference-thread.js');
  const threadOf = async (dir: string, limits?: { silenceMs?: number; idleMs?: number }) => {
    const { InferenceThread } = (await import(built)) as typeof inference;
    const files = { model: join(dir, 'model.onnx'), tokenizer: join(dir, 'tokenizer.json') };
    return new InferenceThread({ ...files, maxTokens: 4, output: 'mean' }, limits);
  };

  it('rejects waiting texts when the thread ends, and starts another one with the next text', async () => {
    const thread = await threadOf(writeModel(temporaryDir(), MODEL));
    expect([...(await thread.run('car tree'))]).toEqual([0.5, 0.5, 0]);
    // So many that the last one still waits when the thread ends, also on a fast machine.
    const waiting = Array.from({ length: 2000 }, () => thread.run('car'));
    const settled = Promise.allSettled(waiting);
    await thread.end();
    await expect(waiting.at(-1)).rejects.toThrow('the model was put away');
    await settled;
    expect([...(await thread.run('tree'))]).toEqual([0, 1, 0]);
    await thread.end();
  });

  it('ends a thread that does not answer for too long', async () => {
    const dir = writeModel(temporaryDir(), MODEL);
    execFileSync('rm', [join(dir, 'tokenizer.json')]);
    execFileSync('mkfifo', [join(dir, 'tokenizer.json')]);
    const thread = await threadOf(dir, { silenceMs: 200 });
    const waiting = thread.run('car').catch((error: unknown) => String(error));
    // Questions that are aborted meanwhile do not extend its time.
    for (let i = 0; i < 4; i++) await thread.run('car', undefined, AbortSignal.timeout(45)).catch(() => undefined);
    expect(await Promise.race([waiting, wait(60)])).toContain('the model gave no answer for 200 ms');
    // A writer lets the thread go on, so that it can end.
    writeFileSync(join(dir, 'tokenizer.json'), MODEL.tokenizer);
  });

  it('ends an idle thread, and starts another one with the next text', async () => {
    const thread = await threadOf(writeModel(temporaryDir(), MODEL), { idleMs: 50 });
    await thread.run('car');
    await until(() => (thread as unknown as { worker?: Worker }).worker === undefined, 'the thread to be ended');
    expect([...(await thread.run('tree'))]).toEqual([0, 1, 0]);
    await thread.end();
  });

  it('truncates longer texts than the model reads, and drops cancelled ones', async () => {
    const thread = await threadOf(writeModel(temporaryDir(), MODEL));
    expect([...(await thread.run('car car tree tree tree'))]).toEqual([0.5, 0.5, 0]);
    const caller = new AbortController();
    const dropped = thread.run('car', undefined, caller.signal);
    caller.abort(new Error('no longer'));
    await expect(dropped).rejects.toThrow('no longer');
    await thread.end();
  });
});

describe('a cross-encoder in a folder', () => {
  it('reorders passages, and leaves their order unchanged where its folder is broken', async () => {
    const dir = writeModel(temporaryDir(), relevanceModel({ lamp: 0, bright: 5, dark: -5 }));
    const texts = { often: 'Lamp, lamp, lamp and dark.', bright: 'A lamp among many other things that is bright.' };
    for (const [folder, expected] of [
      [dir, ['bright', 'often']],
      [join(dir, 'nothing'), ['often', 'bright']],
    ] as const) {
      const server = await new ChromaServer(temporaryDir(), { CAUDEX__CHROMA__RERANKER__MODEL_DIR: folder }).start();
      for (const [path, text] of Object.entries(texts)) await server.upsert('p', path, text);
      expect(await server.found('p', 'lamp')).toEqual(expected);
      await server.end('SIGTERM');
    }
  });
});
