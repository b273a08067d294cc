import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ChromaServer, temporaryDir, until } from '../chroma-process.js';
import { embeddingModel, writeModel } from './tiny-model.js';

/** A car and an automobile are the same to it. */
const MODEL = embeddingModel({ car: [1, 0, 0], automobile: [1, 0, 0], tree: [0, 1, 0], tax: [0, 0, 1] });
const TEXTS = { cars: 'The car stands outside.', trees: 'The tree is tall.', taxes: 'The tax is high.' };

async function filled(server: ChromaServer): Promise<void> {
  for (const [path, text] of Object.entries(TEXTS)) await server.upsert('p', path, text);
}

/** Waits until the project is embedded by the model, and answers what it says of its embedder. */
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
  it('finds by meaning what shares no word with the question, also when it came after the documents', async () => {
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

  it('keeps what it has embedded while its folder is away, and is told of as a fault', async () => {
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

  it('costs an answer nothing while it hangs', async () => {
    const dir = writeModel(temporaryDir(), MODEL);
    execFileSync('rm', [join(dir, 'tokenizer.json')]);
    // Whoever reads it waits for a writer for ever.
    execFileSync('mkfifo', [join(dir, 'tokenizer.json')]);
    const server = await new ChromaServer(temporaryDir(), { EMBEDDINGS_MODEL_DIR: dir }).start();
    await filled(server);
    const startedAt = performance.now();
    expect(await server.found('p', 'tall tree')).toEqual(['trees']);
    expect(performance.now() - startedAt).toBeLessThan(1000);
    await server.end('SIGKILL');
  });
});
