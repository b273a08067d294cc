import { EmbeddingError, TextRefused } from './embedder.js';
import { PretrainedEmbedder } from './pretrained.embedder.js';
import type { TextCall, TextModel } from './text-model.js';

const NO_DEADLINE = Infinity;
const passage = (text: string) => ({ title: '', text, terms: [] });

class FakeModel implements TextModel {
  readonly label = 'The fake model';
  readonly calls: { texts: readonly string[]; urgent: boolean }[] = [];

  constructor(private readonly answer: (texts: readonly string[], call: TextCall) => Promise<Float32Array[]>) {}

  vectors(texts: readonly string[], call: TextCall): Promise<Float32Array[]> {
    this.calls.push({ texts, urgent: call.urgent });
    return this.answer(texts, call);
  }
}

const works = (texts: readonly string[]) => Promise.resolve(texts.map(() => Float32Array.of(3, 4)));
const embedderOf = (model: TextModel) =>
  new PretrainedEmbedder(model, { prefixes: { query: 'q: ', passage: 'p: ' }, queryTimeoutMs: 50 });

describe('PretrainedEmbedder', () => {
  it('adds the prefixes of its family, and returns vectors of length 1', async () => {
    const model = new FakeModel(works);
    const [vector] = await embedderOf(model).embed([{ title: 'Cars', text: 'A car.', terms: [] }]);
    expect([...(vector as Float32Array)].map((value) => value.toFixed(3))).toEqual(['0.600', '0.800']);
    await embedderOf(model).embedQuestion(passage('car'), NO_DEADLINE);
    expect(model.calls).toEqual([
      { texts: ['p: Cars\n\nA car.'], urgent: false },
      { texts: ['q: car'], urgent: true },
    ]);
  });

  it('sends more passages at a time to a fast model, and loses none', async () => {
    const model = new FakeModel(works);
    const passages = Array.from({ length: 40 }, (_, i) => passage(String(i)));
    expect(await embedderOf(model).embed(passages)).toHaveLength(40);
    expect(model.calls.map(({ texts }) => texts.length)).toEqual([4, 8, 16, 12]);
    expect(model.calls.flatMap(({ texts }) => texts)).toEqual(passages.map(({ text }) => `p: ${text}`));
  });

  it('waits for a slow model with one question, and not at all with the next ones', async () => {
    const model = new FakeModel(() => new Promise(() => undefined));
    const embedder = embedderOf(model);
    await expect(embedder.embedQuestion(passage('a'), NO_DEADLINE)).rejects.toMatchObject({ reason: 'timeout' });
    await expect(embedder.embedQuestion(passage('b'), NO_DEADLINE)).rejects.toMatchObject({ reason: 'circuit_open' });
  });

  it('embeds the next question although the model refused one', async () => {
    const refuses = () => Promise.reject(new TextRefused('fault', 'too long'));
    const model = new FakeModel((texts) => (texts[0] === 'q: bad' ? refuses() : works(texts)));
    const embedder = embedderOf(model);
    await expect(embedder.embedQuestion(passage('bad'), NO_DEADLINE)).rejects.toBeInstanceOf(EmbeddingError);
    expect(await embedder.embedQuestion(passage('good'), NO_DEADLINE)).toHaveLength(2);
  });

  it('treats any other error as a fault of the model', async () => {
    const embedder = embedderOf(new FakeModel(() => Promise.reject(new Error('out of memory'))));
    const message = 'The fake model gave no answer that can be used: out of memory';
    await expect(embedder.embed([passage('a')])).rejects.toMatchObject({ reason: 'fault', message });
  });
});
