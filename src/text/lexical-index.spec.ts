import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase, transaction } from '../storage/sqlite.js';
import { analyseDocument } from './analysed-document.js';
import { LEXICAL_MIGRATIONS, LexicalIndex, type ProjectKey } from './lexical-index.js';
import { reanalyse } from './reanalysis.js';
import { searchByWords } from './results.js';

const ann: ProjectKey = { userId: 'ann', projectId: 'notes' };
const bob: ProjectKey = { userId: 'bob', projectId: 'notes' };

describe('LexicalIndex', () => {
  let db: ReturnType<typeof openDatabase>;
  let index: LexicalIndex;
  beforeEach(() => {
    db = openDatabase(':memory:', LEXICAL_MIGRATIONS);
    index = new LexicalIndex(db);
  });
  afterEach(() => db.close());

  async function put(key: ProjectKey, path: string, text: string) {
    const document = await analyseDocument({ path, title: path, text, mediaType: 'text/plain' });
    return transaction(db, () => index.put(key, document));
  }
  const paths = async (key: ProjectKey, query: string, in_ = index) =>
    (await searchByWords(in_, key, query, { page: { limit: 10, offset: 0 } })).results.map((result) => result.document);

  it('finds passages by word, stem and title, best first, with the matching sentences', async () => {
    await put(ann, 'whales', 'A whale is a mammal. It lives in the sea.');
    await put(ann, 'ships', 'Ships were hunting near the coast. A whale was seen once from one of the ships in June.');
    const { results, total } = await searchByWords(index, ann, 'whales?', { page: { limit: 10, offset: 0 } });
    expect(results.map((result) => result.document)).toEqual(['whales', 'ships']);
    expect(results[1]?.highlights).toEqual(['A whale was seen once from one of the ships in June.']);
    expect(results[0]).toMatchObject({ chunk: 0, start: 0, end: 41, title: 'whales' });
    expect(total).toBe(2);
  });

  it('writes only what an addition to a long document changes', async () => {
    const text = Array.from({ length: 500 }, (_, i) => `# Part ${i}\n\n${'A whale swims far. '.repeat(40)}${i}`).join(
      '\n\n',
    );
    const write = async (whole: string) => {
      const changes = () => Number(db.prepare('SELECT total_changes() AS n').get()?.['n']);
      const before = changes();
      await put(ann, 'long.md', whole);
      return changes() - before;
    };
    expect(await write(text)).toBeGreaterThan(500);
    expect(await write(`${text}\n\n# More\n\nA dolphin swims.`)).toBeLessThan(20);
    expect(await paths(ann, 'dolphin')).toEqual(['long.md']);
  });

  it('hides a dropped project at once, and deletes its rows without blocking, also after a kill', async () => {
    await put(ann, 'long', 'A whale swims.');
    db.exec(`INSERT INTO lexical_passages (project, document, chunk, start, "end", digest, title, text, title_terms, terms,
        fingerprint_high, fingerprint_low)
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
      SELECT project, document, i, start, "end", digest, title, text, title_terms, terms, 0, 0 FROM lexical_passages, n`);
    await put(bob, 'a', 'A whale is a mammal.');
    const rows = () => Number(db.prepare('SELECT count(*) AS n FROM lexical_passages').get()?.['n']);
    const before = rows();
    transaction(db, () => index.dropProject(ann));
    expect([await paths(ann, 'whale'), index.count(ann), index.holds(ann, 'long')]).toEqual([[], 0, false]);
    // Slices leave the event loop to others.
    await new Promise(setImmediate);
    expect(rows()).toBeGreaterThan(before / 2);
    // What an earlier process left is deleted by the next one.
    const next = new LexicalIndex(db);
    while (rows() > 1) await new Promise(setImmediate);
    expect(await paths(bob, 'whale', next)).toEqual(['a']);
    expect(db.prepare('SELECT count(*) AS n FROM lexical_documents').get()?.['n']).toBe(1);
  });

  it('separates users whose projects have the same name', async () => {
    await put(ann, 'a', 'The secret of Ann is salt.');
    await put(bob, 'b', 'Bob has sugar.');
    expect(await paths(bob, 'secret salt Ann')).toEqual([]);
    expect(await paths(ann, 'secret')).toEqual(['a']);
    expect(await paths({ userId: 'ann', projectId: 'other' }, 'secret')).toEqual([]);
  });

  it('applies changes: removed passages are not found, unchanged ones keep their id', async () => {
    const long = 'Salt is white and everywhere in the kitchen of the house. '.repeat(30);
    const first = await put(ann, 'a', `${long}\n\nPepper is black.`);
    await paths(ann, 'salt');
    expect(await put(ann, 'a', `${long}\n\nPepper is black.`)).toEqual({ added: [], removed: [] });
    const second = await put(ann, 'a', `${long}\n\nCumin is brown.`);
    expect(second.added).toHaveLength(1);
    expect(second.removed).toEqual([first.added.at(-1)?.id]);
    expect(await paths(ann, 'pepper')).toEqual([]);
    expect(await paths(ann, 'cumin')).not.toEqual([]);
    transaction(db, () => index.remove(ann, 'a'));
    expect(await paths(ann, 'salt cumin')).toEqual([]);
    expect(index.count(ann)).toBe(0);
  });

  it('discards changes that were rolled back', async () => {
    await put(ann, 'a', 'Salt.');
    await paths(ann, 'salt');
    const document = await analyseDocument({ path: 'b', title: '', text: 'Pepper.', mediaType: 'text/plain' });
    expect(() =>
      transaction(db, () => {
        index.put(ann, document);
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(await paths(ann, 'pepper')).toEqual([]);
    expect(await paths(ann, 'salt')).toEqual(['a']);
  });

  it('applies changes that arrive while it is being read', async () => {
    for (let i = 0; i < 600; i++) await put(ann, `d${i}`, `Salt number${i}.`);
    const fresh = new LexicalIndex(db);
    const searching = paths(ann, 'number599 number3', fresh);
    const document = await analyseDocument({ path: 'new', title: '', text: 'Pepper.', mediaType: 'text/plain' });
    transaction(db, () => {
      fresh.put(ann, document);
      fresh.remove(ann, 'd3');
    });
    expect(await searching).not.toContain('d3');
    expect(await paths(ann, 'pepper', fresh)).toEqual(['new']);
    expect(await paths(ann, 'number3', fresh)).toEqual([]);
  });

  it('honours quoted phrases', async () => {
    await put(ann, 'a', 'The boundary layer is thin.');
    await put(ann, 'b', 'The layer has no boundary at all.');
    expect(await paths(ann, '"boundary layer"')).toEqual(['a']);
    expect(await paths(ann, '“layer thin boundary”')).toEqual([]);
    expect(await paths(ann, 'explain “layer thin boundary”')).toHaveLength(2);
  });

  it('analyses documents again that an earlier version of the analysis stored', async () => {
    const text = `# Pears\n\n${'They ripen in the houses of the garden. '.repeat(60)}\n\n## Plums\n\nThey do not keep.`;
    const document = await analyseDocument({ path: 'a.md', title: 'Pears', text, mediaType: 'text/markdown' });
    const { added } = transaction(db, () => index.put(ann, document));
    await paths(ann, 'house');
    db.exec("UPDATE lexical_passages SET analysis = 0, terms = 'old', extras = '' WHERE chunk = 0");
    const fresh = new LexicalIndex(db);
    expect(await paths(ann, 'old', fresh)).toEqual(['a.md']);
    expect(fresh.outdated()).toEqual([{ key: ann, path: 'a.md' }]);
    await reanalyse(fresh, async (key, analysed, isCurrent) => {
      expect(isCurrent()).toBe(true);
      transaction(db, () => fresh.put(key, analysed));
    });
    expect(fresh.outdated()).toEqual([]);
    expect(await paths(ann, 'old', fresh)).toEqual([]);
    expect(new Set(await paths(ann, 'house', fresh))).toEqual(new Set(['a.md']));
    const ids = (await fresh.image(ann))
      .rank([{ terms: ['garden', 'plum'], weight: 1 }], 10)
      .ranked.map(({ id }) => id);
    expect(ids.toSorted()).toEqual(added.map(({ id }) => id).toSorted());
  });

  it('folds near-duplicates', async () => {
    const text = Array.from({ length: 150 }, (_, i) => `word${i}`).join(' ');
    await put(ann, 'a', text);
    await put(ann, 'copy', `${text} more`);
    await put(ann, 'other', 'Something else with word7.');
    expect((await paths(ann, 'word7')).length).toBe(2);
  });

  it.each(['', '   ', '""', '"', '🙂', 'zzz'])('finds nothing for %j', async (query) => {
    await put(ann, 'a', 'Salt.');
    expect(await paths(ann, query)).toEqual([]);
  });

  it('keeps its data over a restart', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'lexical-'));
    const open = () => openDatabase(join(dir, 'index.sqlite'), LEXICAL_MIGRATIONS);
    const before = open();
    const document = await analyseDocument({ path: 'a', title: '', text: 'Salt.', mediaType: 'text/plain' });
    transaction(before, () => new LexicalIndex(before).put(ann, document));
    before.close();
    const after = open();
    expect(await paths(ann, 'salt', new LexicalIndex(after))).toEqual(['a']);
    after.close();
    rmSync(dir, { recursive: true });
  });
});
