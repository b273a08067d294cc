import { openDatabase, transaction } from '../storage/sqlite.js';
import { analyseDocument } from './analysed-document.js';
import { correctionsOf } from './explanation.js';
import { LEXICAL_MIGRATIONS, LexicalIndex } from './lexical-index.js';
import { conceptsOf, parseQuery } from './query.js';
import { presented, searchByWords } from './results.js';

const key = { userId: 'ann', projectId: 'notes' };
const page = { limit: 10, offset: 0 };

const DOCUMENTS: Record<string, string> = {
  'apples.md': 'The apples of this orchard are picked in September. The recipe for cider is old.',
  'pears.md': 'Pears ripen in October, and the orchard is closed then.',
  'bread.md': 'Flour, water and salt make a loaf.',
};

describe('why a passage was found', () => {
  const db = openDatabase(':memory:', LEXICAL_MIGRATIONS);
  const index = new LexicalIndex(db);
  beforeAll(async () => {
    for (const [path, text] of Object.entries(DOCUMENTS)) {
      const document = await analyseDocument({ path, title: '', text, mediaType: 'text/markdown' });
      transaction(db, () => index.put(key, document));
    }
  });
  afterAll(() => db.close());
  const search = (query: string, explain = true) => searchByWords(index, key, query, { page, explain });

  it('names the matching words as they were typed, and the place in the ranking', async () => {
    const { results, corrections } = await search('Orchards pear nothing');
    expect(results.map(({ document, explain }) => [document, explain])).toEqual([
      [
        'pears.md',
        {
          lists: [{ list: 'words', place: 1, score: results[0]?.score }],
          words: expect.arrayContaining(['Orchards', 'pear']) as string[],
          meaning: null,
        },
      ],
      [
        'apples.md',
        { lists: [{ list: 'words', place: 2, score: results[1]?.score }], words: ['Orchards'], meaning: null },
      ],
    ]);
    expect(corrections).toBeUndefined();
  });

  it('returns no explanation unless it is asked for', async () => {
    expect((await search('orchard', false)).results[0]).not.toHaveProperty('explain');
  });

  it('names both rankings, and the similarity by meaning', async () => {
    const image = await index.image(key);
    const query = parseQuery('bread');
    const [id] = image.holding([['flour']]) as [number];
    const [other] = image.holding([['pear']]) as [number];
    const ranked = [id, other].map((one, i) => ({ id: one, score: 2 - i }));
    const lists = {
      words: [{ id, score: 3 }],
      meaning: [other, id].map((one) => ({ id: one, score: 0.4, similarity: 0.5 })),
    };
    const { results } = presented(index, key, image, query, ranked, page, lists);
    expect(results.map(({ explain }) => explain)).toEqual([
      {
        lists: [
          { list: 'words', place: 1, score: 3 },
          { list: 'meaning', place: 2, score: 0.4 },
        ],
        words: ['bread'],
        meaning: 0.5,
      },
      { lists: [{ list: 'meaning', place: 1, score: 0.4 }], words: [], meaning: 0.5 },
    ]);
  });

  it.each([
    ['recipie', 'recipe', 'apples.md'],
    ['flo', 'flour', 'bread.md'],
    ['orchrad', 'orchard', 'pears.md'],
  ])('tells that %s was taken for %s', async (from, to, document) => {
    const { results, corrections } = await search(from);
    expect(results[0]).toMatchObject({ document, explain: { words: [to] } });
    expect(corrections).toEqual([{ from, to }]);
  });

  it('does not correct a word if another word is known, nor a word without similar terms', async () => {
    expect((await search('recipie cider')).corrections).toBeUndefined();
    expect(await search('xylophone')).toEqual({ results: [], total: 0 });
  });

  it('names the term itself where no passage of the page contains the word', async () => {
    const image = await index.image(key);
    expect(correctionsOf(conceptsOf(parseQuery('flo'), image), [])).toEqual([{ from: 'flo', to: 'flour' }]);
  });
});
