import type { DatabaseSync } from 'node:sqlite';
import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { openDatabase } from '../../../../storage/sqlite.js';
import { AUTHOR_EMAIL, MOVED_FROM, VERSION_TABLES, VersionStore } from '../versions/version-store.js';
import { DocumentNames } from './document-names.js';
import { GraphFeed, PENDING_TABLES, SET_ASIDE } from './graph-feed.js';
import { GraphAway, type GraphChange, type GraphStore } from './graph-store.js';

const COMMIT = 'a'.repeat(40);
const EVE = { userId: 'eve', projectId: 'p' };
const BOB = { userId: 'bob', projectId: 'q' };

describe('GraphFeed', () => {
  let db: DatabaseSync;
  let versions: VersionStore;
  let applied: string[];
  let apply: (change: GraphChange) => Promise<void>;
  const feeds: GraphFeed[] = [];

  /** As a process has it that has just been started. */
  function newFeed(): GraphFeed {
    const graph = {
      apply: async (_: unknown, changes: readonly GraphChange[]) => {
        for (const change of changes) await apply(change);
        applied.push(...changes.map(({ path }) => path));
      },
      drop: () => Promise.resolve(),
    } as Partial<GraphStore> as GraphStore;
    const feed = new GraphFeed(db, graph, () => Promise.resolve('text'), new DocumentNames(() => []), 1000);
    feeds.push(feed);
    return feed;
  }
  function change(feed: GraphFeed, project: typeof EVE, path: string): void {
    const version = { version: path, path, author: 'n', email: '', message: 'm', committed_at: '2026-01-01T00:00:00Z' };
    feed.add(project, versions.add(project, { ...version, commit: COMMIT, deleted: false }) as number);
  }

  beforeEach(() => {
    Logger.overrideLogger(false);
    db = openDatabase(':memory:', [VERSION_TABLES, AUTHOR_EMAIL, PENDING_TABLES, SET_ASIDE, MOVED_FROM]);
    versions = new VersionStore(db);
    applied = [];
    apply = () => Promise.resolve();
  });
  afterEach(async () => {
    jest.useRealTimers();
    for (const feed of feeds.splice(0)) await feed.stop();
    db.close();
  });

  it('applies the changes of projects in turns', async () => {
    const feed = newFeed();
    for (let i = 0; i < 100; i++) change(feed, EVE, `eve${i}.md`);
    change(feed, BOB, 'bob.md');
    await feed.catchUp(BOB);
    expect(applied).toContain('bob.md');
    expect(applied.length).toBeLessThan(50);
  });

  it('delays only its own project by a change that fails, and sets the change aside after five tries', async () => {
    apply = ({ path }) => (path === 'bad.md' ? Promise.reject(new Error('no')) : Promise.resolve());
    jest.useFakeTimers();
    const feed = newFeed();
    change(feed, EVE, 'bad.md');
    change(feed, EVE, 'good.md');
    change(feed, BOB, 'bob.md');
    void feed.catchUp();
    await jest.advanceTimersByTimeAsync(100);
    expect(applied).toEqual(['bob.md']);
    await jest.advanceTimersByTimeAsync(30_000);
    expect(applied).toEqual(['bob.md', 'good.md']);
    expect(feed.setAside(10)).toEqual([{ ...EVE, path: 'bad.md', tries: 5, reason: 'no' }]);
  });

  it('applies the neighbours of a change that fails, at once', async () => {
    apply = ({ path }) => (path === 'bad.md' ? Promise.reject(new Error('no')) : Promise.resolve());
    jest.useFakeTimers();
    const feed = newFeed();
    for (const path of ['a.md', 'b.md', 'bad.md', 'c.md']) change(feed, EVE, path);
    void feed.catchUp();
    await jest.advanceTimersByTimeAsync(100);
    expect(applied).toEqual(['a.md', 'b.md']);
    await jest.advanceTimersByTimeAsync(30_000);
    expect(applied).toEqual(['a.md', 'b.md', 'c.md']);
    expect(feed.setAside(10)).toMatchObject([{ path: 'bad.md', tries: 5 }]);
  });

  it('sets aside a change that ended the process five times, and continues', async () => {
    const first = newFeed();
    change(first, EVE, 'deadly.md');
    change(first, BOB, 'bob.md');
    let deaths = 0;
    for (let feed = first; deaths < 10 && feed.setAside(1).length === 0; feed = newFeed()) {
      // What is under way when a process is killed never settles.
      apply = ({ path }) => (path === 'deadly.md' ? (deaths++, new Promise(() => undefined)) : Promise.resolve());
      void feed.catchUp();
      await new Promise((resolve) => setTimeout(resolve, 10));
      feeds.splice(0);
    }
    expect({ deaths, applied }).toEqual({ deaths: 5, applied: ['bob.md'] });
    expect(newFeed().setAside(10)).toMatchObject([{ path: 'deadly.md', tries: 5 }]);
  });

  it('counts no try while the graph is unavailable', async () => {
    apply = () => Promise.reject(new GraphAway('refused'));
    jest.useFakeTimers();
    const feed = newFeed();
    change(feed, EVE, 'a.md');
    void feed.catchUp();
    await jest.advanceTimersByTimeAsync(120_000);
    expect(feed.setAside(10)).toEqual([]);
    apply = () => Promise.resolve();
    await jest.advanceTimersByTimeAsync(6000);
    expect(applied).toEqual(['a.md']);
  });
});
