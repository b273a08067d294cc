import { Relocation } from './relink.js';

/** The text of a document after a move of some of these documents. */
function relinked(
  text: string,
  path: string,
  documents: readonly string[],
  moved: Record<string, string>,
): Promise<string> {
  const moves = new Map(Object.entries(moved));
  const after = documents.map((document) => moves.get(document) ?? document);
  return new Relocation(moves, after).relink(text, path);
}

const DOCUMENTS = ['index.md', 'notes/a.md', 'notes/b.md', 'other/my plan.md'];

describe('links after a move', () => {
  it.each([
    ['[A](notes/a.md)', '[A](archive/x.md)'],
    ['[A](./notes/a.md#part "title")', '[A](./archive/x.md#part "title")'],
    ['[A](/notes/a.md?q=1)', '[A](/archive/x.md?q=1)'],
    ['![A](<notes/a.md>)', '![A](<archive/x.md>)'],
    ['[[a]], [[notes/a|label]], [[a#part]]', '[[x]], [[x|label]], [[x#part]]'],
    ['[[a.md]]', '[[x.md]]'],
    ['[B](notes/b.md), [[b]]', '[B](notes/b.md), [[b]]'],
    ['`[A](notes/a.md)` [A](notes/a.md)', '`[A](notes/a.md)` [A](archive/x.md)'],
    ['```\n[[a]]\n```\n[[a]]', '```\n[[a]]\n```\n[[x]]'],
    [
      '[web](https://example.org/notes/a.md) [none](notes/c.md) (notes/a.md)',
      '[web](https://example.org/notes/a.md) [none](notes/c.md) (notes/a.md)',
    ],
  ])('%j becomes %j', async (text, expected) => {
    expect(await relinked(text, 'index.md', DOCUMENTS, { 'notes/a.md': 'archive/x.md' })).toBe(expected);
  });

  it('are those of the moved document, too', async () => {
    const text = '[B](b.md) [index](../index.md) [plan](../other/my%20plan.md) [picture](picture.png) [[b]]';
    expect(await relinked(text, 'x/y/a.md', DOCUMENTS, { 'notes/a.md': 'x/y/a.md' })).toBe(
      '[B](../../notes/b.md) [index](../../index.md) [plan](../../other/my%20plan.md) [picture](picture.png) [[b]]',
    );
  });

  it('stay within a folder that is moved as a whole', async () => {
    const text = '[B](b.md) [[notes/b]]';
    const moved = { 'notes/a.md': 'x/a.md', 'notes/b.md': 'x/b.md' };
    expect(await relinked(text, 'x/a.md', DOCUMENTS, moved)).toBe('[B](b.md) [[b]]');
  });

  it('name the folder where a name alone would find another document', async () => {
    const documents = ['index.md', 'a.md', 'notes/plan.md', 'plan.md'];
    expect(await relinked('[[a]]', 'index.md', documents, { 'a.md': 'deep/down/plan.md' })).toBe('[[deep/down/plan]]');
  });

  it('are encoded where the new path needs it', async () => {
    expect(await relinked('[A](notes/a.md)', 'index.md', DOCUMENTS, { 'notes/a.md': 'my (old) notes.md' })).toBe(
      '[A](my%20%28old%29%20notes.md)',
    );
  });

  it('are changed in time linear in their number, also where many documents share a name', async () => {
    const documents = Array.from({ length: 3000 }, (_, i) => `d${i}/readme.md`);
    const names = Array.from({ length: 3000 }, (_, i) => `[[readme]] [[d${i}/readme]]`).join(' ');
    const began = process.threadCpuUsage();
    expect(await relinked(names, 'index.md', documents, { 'd7/readme.md': 'e7/readme.md' })).toBe(
      names.replace('[[d7/readme]]', '[[e7/readme]]'),
    );
    expect(process.threadCpuUsage(began).user / 1000).toBeLessThan(2000);
  });

  it('are changed in slices, also where one line has all of them', async () => {
    const text = Array.from({ length: 100_000 }, (_, i) => `[[d${i}]] [A](d${i}.md)`).join(' ');
    let turns = 0;
    let isRunning = true;
    const count = () => {
      turns++;
      if (isRunning) setImmediate(count);
    };
    count();
    await relinked(text, 'index.md', DOCUMENTS, { 'notes/a.md': 'x.md' });
    isRunning = false;
    expect(turns).toBeGreaterThan(3);
  });

  it('are changed in time linear in a text that is all brackets', async () => {
    const text = '[['.repeat(200_000) + ']('.repeat(200_000);
    const began = process.threadCpuUsage();
    expect(await relinked(text, 'index.md', DOCUMENTS, { 'notes/a.md': 'x.md' })).toBe(text);
    expect(process.threadCpuUsage(began).user / 1000).toBeLessThan(2000);
  });
});
