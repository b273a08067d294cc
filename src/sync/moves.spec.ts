import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CaudexApi, Refusal } from './caudex-api.js';
import { Moves } from './moves.js';
import { NOTHING, PassRecord } from './pass-record.js';
import { SyncState } from './sync-state.js';

describe('moves on the server', () => {
  let dir: string;
  let state: SyncState;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'caudex-moves-'));
    state = new SyncState(dir);
    state.save(['p/1', 'p/2'].map((path) => ({ ...NOTHING, path, digest: path, version: 'v1', own: true })));
  });
  afterEach(() => {
    state.close();
    rmSync(dir, { recursive: true });
  });

  const documents = [1, 2].map((n) => ({ from: `p/${n}`, to: `q/${n}` }));
  const files = new Map(documents.map(({ from, to }) => [to, from]));
  /** Moves the folder with a server that answers so. */
  const run = async (move: (from: string, to: string) => Map<string, string>) => {
    const record = new PassRecord(state, { line: () => undefined, progress: () => undefined });
    const api = { move: async (_: string, from: string, to: string) => move(from, to) } as unknown as CaudexApi;
    const refused = await new Moves(api, 'project', record, files).run([{ from: 'p/', to: 'q/', documents }]);
    return { refused, outcome: record.outcome };
  };

  it('are in the state before the request is sent, and as done after its answer', async () => {
    await run((from, to) => {
      expect([from, to]).toEqual(['p/', 'q/']);
      expect(state.all().get('q/1')).toEqual({ ...NOTHING, path: 'q/1', pending: 'p/1' });
      expect(state.all().get('p/1')).toMatchObject({ version: 'v1', digest: 'p/1', pending: 'p/1' });
      return new Map(documents.map((one) => [one.to, 'v2']));
    });
    expect([...state.all().values()]).toEqual(
      documents.map(({ from, to }) => ({ ...NOTHING, path: to, digest: from, version: 'v2', own: true })),
    );
  });

  it('of a folder are made one by one where the server refuses the folder, and those that it refuses then are returned', async () => {
    const { refused, outcome } = await run((from, to) => {
      if (from !== 'p/2') throw new Refusal(from === 'p/' ? 413 : 409, 'no');
      return new Map([[to, 'v2']]);
    });
    expect(refused).toEqual([documents[0]]);
    expect(outcome.moved).toBe(1);
    expect(state.all().get('q/2')).toMatchObject({ version: 'v2', pending: null });
    expect(state.all().has('p/2')).toBe(false);
    expect(state.all().get('p/1')).toMatchObject({ version: 'v1' });
  });

  it('need another pass where the server moved other documents than expected', async () => {
    expect((await run(() => new Map([['q/1', 'v2']]))).outcome.again).toBe(true);
    expect(state.all().has('p/2')).toBe(true);
  });

  it('end where the server refuses the key', async () => {
    await expect(
      run(() => {
        throw new Refusal(401, 'no');
      }),
    ).rejects.toThrow('no');
  });
});
