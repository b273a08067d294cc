import { planOf, type Sides } from './plan.js';
import type { Synced } from './sync-state.js';

const synced = (path: string, more: Partial<Synced> = {}): [string, Synced] => [
  path,
  { ...{ path, digest: 'd1', version: 'v1', pending: null, refused: null, own: true }, ...more },
];
const plan = (sides: Partial<Sides>) =>
  planOf({
    ...{ files: new Map(), synced: new Map(), remote: new Map(), isLeftOut: () => false, isWhole: true, both: false },
    ...sides,
  });
const file = (digest: string) => new Map([['a.md', digest]]);
const remote = (version: string) => new Map([['a.md', version]]);

describe('the plan of a sync', () => {
  it.each([
    ['uploads a new file', { files: file('d1') }, { kind: 'upload', path: 'a.md', version: null }],
    [
      'uploads a changed file over the version last seen',
      { files: file('d2'), synced: new Map([synced('a.md')]), remote: remote('v1') },
      { kind: 'upload', path: 'a.md', version: 'v1' },
    ],
    [
      'uploads again what the server has lost',
      { files: file('d1'), synced: new Map([synced('a.md')]) },
      { kind: 'upload', path: 'a.md', version: null },
    ],
    [
      'deletes what was uploaded and is gone here',
      { synced: new Map([synced('a.md')]), remote: remote('v1') },
      { kind: 'delete', path: 'a.md' },
    ],
    [
      'keeps what was changed on the server and is gone here',
      { synced: new Map([synced('a.md')]), remote: remote('v2') },
      { kind: 'forget', path: 'a.md' },
    ],
    [
      'keeps what did not come from here',
      { synced: new Map([synced('a.md', { own: false })]), remote: remote('v1') },
      { kind: 'forget', path: 'a.md' },
    ],
    [
      'keeps what an ignore rule now leaves out',
      { synced: new Map([synced('a.md')]), remote: remote('v1'), isLeftOut: () => true },
      { kind: 'forget', path: 'a.md' },
    ],
    [
      'compares what was changed on both sides',
      { files: file('d2'), synced: new Map([synced('a.md')]), remote: remote('v2') },
      { kind: 'compare', path: 'a.md', version: 'v2' },
    ],
    [
      'leaves what was changed on the server alone',
      { files: file('d1'), synced: new Map([synced('a.md')]), remote: remote('v2') },
      { kind: 'leave', path: 'a.md' },
    ],
    [
      'compares an upload whose answer is not known, also where the file is gone',
      { synced: new Map([synced('a.md', { version: null, digest: null, pending: 'd1' })]), remote: remote('v1') },
      { kind: 'compare', path: 'a.md', version: 'v1' },
    ],
  ] as [string, Partial<Sides>, unknown][])('%s', (_, sides, action) => {
    expect(plan(sides)).toEqual([action]);
  });

  it('does nothing where both sides are alike, or the server refused this content, or only the server has it', () => {
    expect(plan({ files: file('d1'), synced: new Map([synced('a.md')]), remote: remote('v1') })).toEqual([]);
    const refused = new Map([synced('a.md', { digest: null, version: null, refused: 'd1' })]);
    expect(plan({ files: file('d1'), synced: refused })).toEqual([]);
    expect(plan({ remote: remote('v1') })).toEqual([]);
  });

  it('moves a renamed document, and no other one', () => {
    const sides = {
      files: new Map([...file('d2'), ['new/b.md', 'd1'], ['other.md', 'd3']] as [string, string][]),
      synced: new Map([synced('b.md'), synced('a.md', { digest: 'd2' })]),
      remote: new Map([...remote('v1'), ['b.md', 'v1']] as [string, string][]),
    };
    const move = { from: 'b.md', to: 'new/b.md', documents: [{ from: 'b.md', to: 'new/b.md' }] };
    expect(plan(sides)).toEqual([
      { kind: 'move', path: 'new/b.md', move },
      { kind: 'upload', path: 'other.md', version: null },
    ]);
    expect(plan({ ...sides, remote: new Map([...remote('v1'), ['b.md', 'v2']]) }).map(({ kind }) => kind)).toEqual([
      ...['upload', 'upload', 'forget'],
    ]);
  });

  it('deletes, forgets and moves nothing while a part of the folder could not be read', () => {
    const sides = { files: new Map([['b.md', 'd1']]), synced: new Map([synced('a.md')]), remote: remote('v1') };
    expect(plan({ ...sides, isWhole: false })).toEqual([{ kind: 'upload', path: 'b.md', version: null }]);
    expect(plan({ synced: sides.synced, isWhole: false, both: true })).toEqual([]);
  });

  it.each([
    ['downloads a new document', { remote: remote('v1') }, { kind: 'download', version: 'v1', digest: null }],
    [
      'downloads a changed one over a file that was not changed',
      { files: file('d1'), synced: new Map([synced('a.md')]), remote: remote('v2') },
      { kind: 'download', version: 'v2', digest: 'd1' },
    ],
    [
      'downloads a changed one again whose file is gone',
      { synced: new Map([synced('a.md')]), remote: remote('v2') },
      { kind: 'download', version: 'v2', digest: null },
    ],
    [
      'removes the file of a deleted one',
      { files: file('d1'), synced: new Map([synced('a.md', { own: false })]) },
      { kind: 'remove', digest: 'd1' },
    ],
    [
      'uploads the file of a deleted one where it was changed',
      { files: file('d2'), synced: new Map([synced('a.md')]) },
      { kind: 'upload', version: null },
    ],
    [
      'uploads a file again whose upload was not answered',
      { files: file('d1'), synced: new Map([synced('a.md', { pending: 'd1' })]) },
      { kind: 'upload', version: null },
    ],
    [
      'deletes a document that it downloaded and whose file is gone',
      { synced: new Map([synced('a.md', { own: false })]), remote: remote('v1') },
      { kind: 'delete' },
    ],
    [
      'compares what was changed on both sides',
      { files: file('d2'), synced: new Map([synced('a.md')]), remote: remote('v2') },
      { kind: 'compare', version: 'v2' },
    ],
  ] as [string, Partial<Sides>, object][])('in both directions %s', (_, sides, action) => {
    expect(plan({ ...sides, both: true })).toEqual([{ path: 'a.md', ...action }]);
  });

  it('in both directions downloads nothing that an ignore rule leaves out', () => {
    expect(plan({ remote: remote('v1'), both: true, isLeftOut: () => true })).toEqual([]);
  });
});
