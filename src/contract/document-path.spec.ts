import { join, sep } from 'node:path';
import fc from 'fast-check';
import { pathFault } from './document-path.js';

describe('pathFault', () => {
  it.each(['a', 'notes/plan.md', '.hidden', '..a/b..', 'ünïcode/名前 1.txt', 'x'.repeat(255), '𝕏'.repeat(255)])(
    'takes %j',
    (path) => expect(pathFault(path)).toBeUndefined(),
  );

  it.each([
    ['', 'it is empty'],
    ['x'.repeat(256), '256 characters'],
    ['\ud800', 'not valid Unicode'],
    ['a\u0000', 'control character'],
    ['a\u009f', 'control character'],
    ['a\\b', 'backslash'],
    ['/a', 'begins with /'],
    ['a/', 'ends with /'],
    ['a//b', 'empty segment'],
    ['a/ /b', 'nothing but blanks'],
    ['a/./b', '"."'],
    ['../a', '".."'],
    ['e\u0301', 'NFC'],
  ])('says what is wrong with %j', (path, reason) => expect(pathFault(path)).toContain(reason));

  it('accepts no path that leaves its folder', () => {
    const segment = fc.constantFrom('..', '.', '', 'a', '/', '\\', '\0', '...', '%2e%2e', ' ');
    fc.assert(
      fc.property(fc.array(fc.oneof(segment, fc.string())), (segments) => {
        const path = segments.join('/');
        if (pathFault(path) === undefined) expect(join('/root', path).startsWith(`/root${sep}`)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
