import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../config/config.schema.js';
import { type ImportJob, ImportStore } from './import.store.js';

describe('ImportStore', () => {
  let dir: string;
  let store: ImportStore;
  const open = () => new ImportStore({ data_dir: dir } as Config);
  const job = (importId: string, userId = 'ann', projectId = 'p'): ImportJob => ({
    userId,
    projectId,
    before: null,
    progress: {
      ...{ import_id: importId, source: '/books', branch: null, state: 'running', detail: null },
      ...{ imported_commits: 0, documents: 0, skipped: 0, skipped_documents: [] },
    },
  });

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'imports-'));
    store = open();
  });
  afterEach(() => {
    store.onApplicationShutdown();
    rmSync(dir, { recursive: true });
  });

  it('restores running imports after a restart, with their progress and the versions before them', () => {
    const [first, second] = [job('a'), job('b')];
    store.add(first);
    store.add(second);
    second.before = new Map([['a.md', 'v1']]);
    second.progress.documents = 7;
    store.keepBefore(second);
    store.keepProgress(second);
    store.end(first);
    store.onApplicationShutdown();
    store = open();
    expect(store.unfinished()).toEqual([second]);
    expect(store.countUnfinished('ann')).toBe(1);
  });

  it("keeps the newest hundred of each user's ended imports", () => {
    for (const user of ['ann', 'bob']) {
      for (let n = 0; n < 101; n++) {
        store.add(job(`${n}`, user));
        store.end(job(`${n}`, user));
      }
    }
    expect(store.find('ann', 'p', '0')).toBeUndefined();
    expect(store.find('ann', 'p', '1')).toBeDefined();
    expect(store.find('bob', 'p', '1')).toBeDefined();
  });

  it('shows no import to another user, and deletes those of one project only', () => {
    store.add(job('a'));
    store.add(job('b', 'ann', 'q'));
    store.add(job('c', 'bob'));
    expect(store.find('bob', 'p', 'a')).toBeUndefined();
    expect(store.find('ann', 'q', 'a')).toBeUndefined();
    store.forget('ann', 'p');
    expect(store.unfinished().map(({ progress }) => progress.import_id)).toEqual(['b', 'c']);
  });

  it('counts the resumptions of an import since the last orderly shutdown', () => {
    const one = job('a');
    store.add(one);
    expect([store.countStart(one), store.countStart(one)]).toEqual([1, 2]);
    store.resetStarts(one);
    expect(store.countStart(one)).toBe(1);
  });
});
