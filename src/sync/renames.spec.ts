import { movesOf } from './renames.js';

/** Files with their contents, as `path=digest`. */
const files = (...of: string[]) => new Map(of.map((one) => one.split('=') as [string, string]));
const moves = (gone: Map<string, string>, fresh: Map<string, string>, others: string[] = []) =>
  movesOf(gone, fresh, [...gone.keys(), ...others]).map(({ from, to, documents }) => [from, to, documents.length]);

describe('the moves of renamed files', () => {
  it('pair files of equal content, first those with the same name, each once', () => {
    expect(moves(files('a=1', 'b=2'), files('c=1', 'd=3'))).toEqual([['a', 'c', 1]]);
    expect(moves(files('x/a=1', 'x/b=1'), files('y/b=1', 'z=1'))).toEqual([
      ['x/b', 'y/b', 1],
      ['x/a', 'z', 1],
    ]);
    expect(moves(files('a=1'), files('b=1', 'c=1'))).toEqual([['a', 'b', 1]]);
  });

  it('of a renamed folder are one, that of the outermost folder', () => {
    const gone = files('p/x/1=1', 'p/x/y/2=2', 'p/z/3=3');
    expect(moves(gone, files('q/x/1=1', 'q/x/y/2=2', 'q/z/3=3'), ['other', 'pp'])).toEqual([['p/', 'q/', 3]]);
    expect(moves(gone, files('p/w/1=1', 'p/w/y/2=2', 'p/u=3'))).toEqual([
      ['p/x/', 'p/w/', 2],
      ['p/z/3', 'p/u', 1],
    ]);
  });

  it('take the files with them that were changed, too, where half of the folder is equal', () => {
    expect(moves(files('p/1=1', 'p/2=2'), files('q/1=1', 'q/2=changed'))).toEqual([['p/', 'q/', 2]]);
    const gone = files('p/1=1', 'p/2=2', 'p/3=3');
    expect(moves(gone, files('q/1=1', 'q/2=x', 'q/3=y'))).toEqual([['p/1', 'q/1', 1]]);
  });

  it('are of single files where another document stays in the folder, or the target lies in it', () => {
    const gone = files('p/1=1', 'p/2=2');
    expect(moves(gone, files('q/1=1', 'q/2=2'), ['p/3'])).toEqual([
      ['p/1', 'q/1', 1],
      ['p/2', 'q/2', 1],
    ]);
    expect(moves(gone, files('p/sub/1=1', 'p/sub/2=2')).map(([from]) => from)).toEqual(['p/1', 'p/2']);
  });

  it('of a folder are at most 1000 documents', () => {
    const of = (folder: string) =>
      files(...Array.from({ length: 1001 }, (_, n) => `${folder}/${n % 2 === 0 ? 'even' : 'odd'}/${n}=${n}`));
    expect(moves(of('p'), of('q'))).toEqual([
      ['p/even/', 'q/even/', 501],
      ['p/odd/', 'q/odd/', 500],
    ]);
  });

  it('are found in seconds among 50,000 files of equal content', () => {
    const many = (folder: string) => files(...Array.from({ length: 50_000 }, (_, n) => `${folder}${n % 9}/${n}=0`));
    expect(movesOf(many('p'), many('q'), many('p').keys())).toHaveLength(50_000);
  }, 5000);
});
