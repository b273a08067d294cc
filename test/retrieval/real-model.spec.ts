import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ChromaServer, temporaryDir, until } from '../chroma-process.js';

const MODELS = process.env['CAUDEX_TEST_MODELS'];
if (MODELS === undefined) {
  console.log('CAUDEX_TEST_MODELS names no folder with models: the tests with real weights are left out (.ci/models).');
}

const PASSAGES = {
  heart: 'Beta blockers lower the pulse and are given to patients after a myocardial infarction.',
  bread: 'Knead the dough for ten minutes, let it rise, and bake it in a hot oven.',
  law: 'The tenant may terminate the lease with three months of notice.',
  space: 'The probe entered an orbit around Saturn and photographed its rings.',
  money: 'The central bank raised its interest rates to slow down inflation.',
};
/** Every word that a question shares with its answer also occurs in another passage. */
const QUESTIONS: [string, keyof typeof PASSAGES][] = [
  ['medicine against cardiac attack', 'heart'],
  ['recipe for a loaf', 'bread'],
  ['moving out of a rented flat', 'law'],
  ['spacecraft visiting a planet', 'space'],
  ['prices grow too quickly, what was done about it', 'money'],
];

const measured = MODELS === undefined ? describe.skip : describe;
measured.each(['bge-small-en-v1.5', 'all-minilm-l6-v2'])('search with %s', (model) => {
  let server: ChromaServer;
  beforeAll(async () => {
    const dir = join(MODELS ?? '', model);
    expect(existsSync(join(dir, 'model.onnx'))).toBe(true);
    server = await new ChromaServer(temporaryDir(), { EMBEDDINGS_MODEL_DIR: dir }).start();
    for (const [path, text] of Object.entries(PASSAGES)) await server.upsert('p', path, text);
    await until(
      async () => {
        const state = await server.call<{ embedder: string; stale_passages: number }>('GET', '/projects/p');
        return state.embedder.startsWith(`model ${model}`) && state.stale_passages === 0;
      },
      'the passages to be embedded',
      60_000,
    );
  }, 90_000);
  afterAll(() => server.end('SIGTERM'));

  it.each(QUESTIONS)('answers "%s" by meaning', async (question, path) => {
    expect((await server.found('p', question))[0]).toBe(path);
  });

  it('still ranks a word first that occurs in a single passage', async () => {
    expect((await server.found('p', 'dough'))[0]).toBe('bread');
  });
});
