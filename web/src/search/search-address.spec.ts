import { describe, expect, it } from 'vitest';
import { readAddress, scopeOf } from './search-address.ts';

describe('the address of a search', () => {
  it('keeps what it knows, and drops the rest', () => {
    expect(readAddress({ q: 1984, mode: 'magic', tag: 'a, b', explain: true, other: 1, author: '' })).toEqual({
      q: '1984',
      tag: 'a, b',
      explain: true,
    });
  });

  it('names no scope without filters', () => {
    expect(scopeOf({ q: 'pears', mode: 'vector' })).toBeUndefined();
  });

  it('takes lists apart, sets paths into the folder, and includes the last day', () => {
    const address = { folder: 'docs/', path: 'a*, docs/b.md', tag: 'x, y', type: 'md', after: '2026-01-01' };
    expect(scopeOf({ ...address, before: '2026-12-31' })).toEqual({
      paths: ['docs/a*', 'docs/b.md'],
      tags: ['x', 'y'],
      types: ['md'],
      after: '2026-01-01',
      before: '2027-01-01',
    });
  });
});
