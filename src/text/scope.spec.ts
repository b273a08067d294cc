import { openDatabase, transaction } from '../storage/sqlite.js';
import { analyseDocument } from './analysed-document.js';
import { frontMatterOf } from './front-matter.js';
import { LEXICAL_MIGRATIONS, LexicalIndex } from './lexical-index.js';
import { searchByWords } from './results.js';
import { filtersOf } from './scope.js';

const key = { userId: 'ann', projectId: 'notes' };
const DOCUMENTS: [path: string, text: string][] = [
  ['garden/pears.md', '---\ntags: [fruit, "Autumn"]\ndate: 2026-03-01\n---\n\nThe harvest of pears was good.'],
  ['garden/plums.txt', 'The harvest of plums was poor.'],
  ['gardener.md', '---\ntags:\n  - people\n---\n\nThe gardener likes the harvest.'],
  ['taxes/2025.csv', 'name,amount\nharvest,120'],
  ['mail/offer.eml', 'From: Ben Okri <ben@example.org>\nTo: Ann\n\nAn offer for the harvest.'],
  ['papers/soil.pdf', '# Soil\n\nAuthor: Ann Lee\n\nSoil before and after the harvest.'],
  ['log.md', '---\nauthors:\n  - Ann Lee\n  - "Kim, Jo"\n---\n\nThe harvest log.'],
];

describe('a search within a scope', () => {
  const db = openDatabase(':memory:', LEXICAL_MIGRATIONS);
  const index = new LexicalIndex(db);
  beforeAll(async () => {
    for (const [path, text] of DOCUMENTS) {
      const mediaType = path.endsWith('.csv') ? 'text/csv' : 'text/markdown';
      const document = await analyseDocument({ path, title: '', text, mediaType });
      transaction(db, () => index.put(key, document));
    }
  });
  afterAll(() => db.close());

  const found = async (query: string, scope?: object) =>
    (await searchByWords(index, key, query, { page: { limit: 10, offset: 0 }, scope })).results
      .map(({ document }) => document)
      .toSorted();

  it.each([
    ['harvest', { paths: ['garden'] }, ['garden/pears.md', 'garden/plums.txt']],
    ['harvest', { paths: ['garden/*.md', 'taxes/'] }, ['garden/pears.md', 'taxes/2025.csv']],
    ['harvest', { tags: ['autumn'] }, ['garden/pears.md']],
    ['harvest', { tags: ['#people', 'fruit'] }, ['garden/pears.md', 'gardener.md']],
    ['harvest', { author: ['ann lee'] }, ['log.md', 'papers/soil.pdf']],
    ['harvest', { author: ['BEN@example.org'] }, ['mail/offer.eml']],
    ['harvest', { author: ['nobody'] }, []],
    ['harvest author:"Ann Lee"', undefined, ['log.md', 'papers/soil.pdf']],
    ['harvest', { types: ['csv'] }, ['taxes/2025.csv']],
    ['harvest', { types: ['text/csv'] }, ['taxes/2025.csv']],
    ['harvest', { before: '2026-03-02', after: '2026-03-01' }, ['garden/pears.md']],
    ['harvest', { paths: ['nowhere'] }, []],
    ['harvest path:garden', undefined, ['garden/pears.md', 'garden/plums.txt']],
    ['tag:people', undefined, ['gardener.md']],
    ['harvest type:md -pears', undefined, ['gardener.md', 'log.md']],
    ['harvest before:2026-03-02', undefined, ['garden/pears.md']],
    ['path:"garden/plums.txt" harvest', undefined, ['garden/plums.txt']],
  ])('%s %j', async (query, scope, documents) => {
    expect(await found(query, scope)).toEqual(documents);
  });

  it('does not treat words as filters that only resemble one', () => {
    expect(filtersOf('before:noon mypath:x node:path see path: here')).toEqual({
      text: 'before:noon mypath:x node:path see path: here',
      scope: undefined,
    });
  });
});

describe('frontMatterOf', () => {
  it('reads title, tags and date, and nothing from a text without front matter', () => {
    expect(frontMatterOf('---\ntitle: "Tax: 2023"\ntags: a, #B\ndate: 2024-02-03\n---\ntext')).toEqual({
      title: 'Tax: 2023',
      tags: ['a', 'b'],
      authors: [],
      dateMs: Date.UTC(2024, 1, 3),
    });
    expect(frontMatterOf('+++\ntitle = "T"\n+++\n').title).toBe('T');
    expect(frontMatterOf('---\ntitle: never closed\n')).toEqual({
      title: undefined,
      tags: [],
      authors: [],
      dateMs: undefined,
    });
    expect(frontMatterOf('title: x')).toEqual({ title: undefined, tags: [], authors: [], dateMs: undefined });
  });
});
