import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPostgres } from '../../../storage/postgres/open-postgres.js';
import {
  describeWithPostgres,
  PostgresServer,
  testSettings,
} from '../../../storage/postgres/testing/postgres-server.js';
import { analyseDocument } from '../../../text/analysed-document.js';
import type { Turn } from '../filesystem.contract.js';
import type { DocumentRow, TrashRow } from './documents/document-row.js';
import { EmbeddedStores } from './embedded-stores.js';
import type { FilesystemStores } from './filesystem-stores.js';
import { FILESYSTEM_PART } from './postgres-database.js';
import { PostgresStores } from './postgres-stores.js';

const QUOTAS = { projects: 3, documents: 5, bytes: 1000, conversations: 10 };
const KEY = { userId: 'ada', projectId: 'p' };

interface Opened {
  /** Two of them where the engine can be used by two processes. */
  stores: FilesystemStores[];
  close: () => Promise<void>;
}

describe('on SQLite', () =>
  contract(async (dir) => {
    const stores = new EmbeddedStores(dir, QUOTAS);
    return { stores: [stores, stores], close: () => stores.close() };
  }));

describeWithPostgres('on PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await PostgresServer.start();
  });
  afterAll(() => server.stop());

  contract(async (dir) => {
    const url = await server.newDatabase();
    const pools = [
      await openPostgres(testSettings(url), FILESYSTEM_PART, () => undefined),
      await openPostgres(testSettings(url), FILESYSTEM_PART, () => undefined),
    ];
    const stores = pools.map((pool, i) => new PostgresStores(pool, join(dir, String(i)), QUOTAS));
    return {
      stores,
      async close() {
        for (const opened of stores) await opened.close();
        for (const pool of pools) await pool.close();
      },
    };
  });
});

function contract(open: (dir: string) => Promise<Opened>): void {
  let dir: string;
  let opened: Opened;
  let [a, b] = [] as unknown as [FilesystemStores, FilesystemStores];

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'caudex-stores-'));
    opened = await open(dir);
    [a, b] = opened.stores as [FilesystemStores, FilesystemStores];
    await a.projects.add(KEY, 'Notes');
  });
  afterEach(async () => {
    await opened.close();
    rmSync(dir, { recursive: true });
  });

  const rowOf = (path: string, more: Partial<DocumentRow> = {}): DocumentRow => ({
    ...{ path, version: 'v1', first_version: 'v1', title: path, media_type: 'text/plain', bytes: 10 },
    ...{ updated_at: '2026-01-01T00:00:00.000Z', file: `file of ${path}`, sha256: 'x', arrived_ms: 1000.5 },
    ...{ original_file: null, original_sha256: null, original_type: null, stored_bytes: 10 },
    ...{ warnings: null, pages: null, tags: null },
    ...more,
  });
  const put = async (stores: FilesystemStores, path: string, more: Partial<DocumentRow> = {}, key = KEY) => {
    const analysed = await analyseDocument({ path, title: path, text: 'Some text.', mediaType: 'text/plain' });
    const row = rowOf(path, more);
    return stores.documents.change(key, path, (state) => ({ result: state, document: { row, analysed } }));
  };
  const turn = (message_id: string, more: Partial<Turn> = {}): Turn => ({
    ...{ message_id, created_at: '2026-01-01T00:00:00.000Z', question: 'Why?' },
    answer: { text: 'Because.', state: 'complete', metadata: {} },
    ...more,
  });
  const putTurn = (
    stores: FilesystemStores,
    id: string,
    one: Turn,
    askedAt: number,
    project_id: string | null = null,
  ) =>
    stores.conversations.putTurn(
      'ada',
      { conversation_id: id, project_id, title: 'Why?', created_at: one.created_at, updated_at: one.created_at },
      one,
      askedAt,
    );

  describe('projects', () => {
    it('are added once and deleted for good, each with its owner', async () => {
      await b.projects.add(KEY, 'Another name');
      expect(await b.projects.find(KEY)).toEqual({
        ...{ project_id: 'p', name: 'Notes', instructions: '', documents: 0 },
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      });
      await b.projects.update(KEY, { instructions: 'Be short.\0' });
      expect(await a.projects.find(KEY)).toMatchObject({ name: 'Notes', instructions: 'Be short.\0' });
      expect(await a.projects.state({ ...KEY, userId: 'bob' })).toBeUndefined();
      expect(await a.projects.delete({ ...KEY, userId: 'bob' })).toBe(false);
      expect(await a.projects.delete(KEY)).toBe(true);
      expect(await b.projects.delete(KEY)).toBe(true);
      expect(await b.projects.state(KEY)).toBe('deleted');
      await b.projects.update(KEY, { name: 'Back' });
      await b.projects.add(KEY, 'Back');
      expect(await a.projects.find(KEY)).toBe('deleted');
    });

    it('are as many as the quota allows, also when they are added at the same time', async () => {
      const adding = Array.from({ length: 8 }, (_, i) =>
        (i % 2 === 0 ? a : b).projects.add({ userId: 'eve', projectId: `p${i}` }, 'Notes').then(
          () => 'added',
          (error: { problem: { code: string } }) => error.problem.code,
        ),
      );
      expect((await Promise.all(adding)).sort()).toEqual([
        ...Array<string>(3).fill('added'),
        ...Array<string>(5).fill('quota_exceeded'),
      ]);
      const { projects, total } = await b.projects.list('eve', 2, 1);
      expect({ total, listed: projects.length }).toEqual({ total: 3, listed: 2 });
    });
  });

  describe('documents', () => {
    it('are stored with what is decided from the current state, and name the files that are no longer needed', async () => {
      expect(await put(a, 'a.md', { original_file: 'original' })).toEqual({
        ...{ result: { project: 'there', document: undefined, removedMs: undefined }, stored: true },
        unneeded: [null, null, null],
      });
      const before = rowOf('a.md', { original_file: 'original' });
      expect(await b.documents.find(KEY, 'a.md')).toEqual(before);
      const replaced = await put(b, 'a.md', {
        version: 'v2',
        file: 'next',
        title: 'A\0B\x1a',
        warnings: '[{"x":"\\u0000"}]',
      });
      expect(replaced.result.document).toEqual(before);
      expect(replaced.unneeded).toEqual(['file of a.md', 'original', null]);
      expect(await a.documents.find(KEY, 'a.md')).toMatchObject({ title: 'A\0B\x1a', warnings: '[{"x":"\\u0000"}]' });
      const kept = await a.documents.change(KEY, 'a.md', ({ document }) => ({ result: document?.version }));
      expect(kept).toEqual({ result: 'v2', stored: false, unneeded: [] });
      await expect(
        a.documents.change(KEY, 'a.md', () => {
          throw new Error('no');
        }),
      ).rejects.toThrow('no');
      expect(await a.documents.count(KEY)).toBe(1);
    });

    it('keep an unreadable file beside a document until the document is replaced', async () => {
      const unreadable = {
        ...{ path: 'a.md', media_type: 'application/pdf', reason: 'cut', received_at: 'now' },
        ...{ file: 'bad', sha256: 'y', stored_bytes: 5 },
      };
      await put(a, 'a.md');
      const change = (file: string) =>
        b.documents.change(KEY, 'a.md', () => ({ result: 1, unreadable: { ...unreadable, file } }));
      expect((await change('bad')).unneeded.filter((file) => file !== null)).toEqual([]);
      expect((await change('worse')).unneeded).toContain('bad');
      expect(await a.documents.findUnreadable(KEY, 'a.md')).toEqual({ ...unreadable, file: 'worse' });
      expect(await a.documents.find(KEY, 'a.md')).toMatchObject({ file: 'file of a.md' });
      const names = [];
      for await (const { file } of a.documents.files()) names.push(file);
      expect(names.sort()).toEqual(['file of a.md', 'worse']);
      expect((await put(b, 'a.md', { file: 'good' })).unneeded).toEqual(['file of a.md', null, 'worse']);
      expect(await a.documents.findUnreadable(KEY, 'a.md')).toBeUndefined();
    });

    it('are deleted unless a later change has arrived, and the deletion is remembered', async () => {
      expect(await a.documents.delete(KEY, 'a.md', 1)).toMatchObject({ deleted: false });
      await put(a, 'a.md', { arrived_ms: 2000 });
      expect(await b.documents.delete(KEY, 'a.md', 1000)).toEqual({ deleted: true, files: [] });
      expect(await b.documents.delete(KEY, 'a.md', 3000)).toMatchObject({
        deleted: true,
        files: ['file of a.md', null, null],
      });
      expect(await a.documents.delete(KEY, 'a.md', 2500)).toMatchObject({ deleted: true });
      expect(await a.documents.state(KEY, 'a.md')).toEqual({ project: 'there', document: undefined, removedMs: 3000 });
      expect(await a.documents.state({ ...KEY, projectId: 'q' }, 'a.md')).toMatchObject({ project: undefined });
    });

    it('have tags that a person sets, which go with them into the trash and back', async () => {
      await put(a, 'a.md');
      const tag = (tags: string | null, key = KEY) => b.documents.setTags(key, [{ path: 'a.md', tags }]);
      expect(await tag('["tax"]')).toEqual([rowOf('a.md', { tags: '["tax"]' })]);
      expect((await a.documents.list(KEY, '', 10, 0)).documents).toMatchObject([{ path: 'a.md', tags: ['tax'] }]);
      await a.documents.delete(KEY, 'a.md', 3000, '2026-01-02');
      expect(await tag('["late"]')).toEqual([undefined]);
      await restore(b, 'a.md');
      expect(await a.documents.find(KEY, 'a.md')).toMatchObject({ tags: '["tax"]' });
      expect(await tag(null)).toEqual([rowOf('a.md')]);
      expect(await tag('["x"]', { ...KEY, userId: 'bob' })).toEqual([undefined]);
    });

    const named = async () => {
      const names = [];
      for await (const { file } of a.documents.files()) names.push(file);
      return names.sort();
    };
    const restore = async (stores: FilesystemStores, path: string, version?: string) => {
      const fromTrash = (await stores.documents.findTrashed(KEY, path, version)) as TrashRow;
      const { deleted_at: _, ...row } = fromTrash;
      const analysed = await analyseDocument({ path, title: path, text: 'Some text.', mediaType: 'text/plain' });
      return stores.documents.change(KEY, path, () => ({ result: 1, document: { row, analysed, fromTrash } }));
    };

    it('are kept in the trash with all of their data and files, and restored from there once', async () => {
      await put(a, 'a.md', { original_file: 'original', title: 'A\0B', stored_bytes: 300 });
      const before = (await a.documents.find(KEY, 'a.md')) as DocumentRow;
      expect(await b.documents.delete(KEY, 'a.md', 3000, '2026-01-02')).toEqual({ deleted: true, files: [null] });
      expect(await a.documents.find(KEY, 'a.md')).toBeUndefined();
      await put(a, 'a.md', { version: 'v2', file: 'second', arrived_ms: 4000 });
      await b.documents.delete(KEY, 'a.md', 5000, '2026-01-03');
      const { rows, total } = await b.documents.trash(KEY, 10, 0);
      expect([total, ...rows.map(({ version }) => version)]).toEqual([2, 'v2', 'v1']);
      expect(rows[1]).toEqual({ ...before, deleted_at: '2026-01-02' });
      expect((await a.documents.trash(KEY, 1, 1)).rows).toEqual([rows[1]]);
      expect((await a.documents.trash({ ...KEY, userId: 'bob' }, 10, 0)).total).toBe(0);
      expect(await named()).toEqual(['file of a.md', 'original', 'second']);

      const taken = (await a.documents.findTrashed(KEY, 'a.md', 'v1')) as TrashRow;
      expect(await restore(b, 'a.md', 'v1')).toMatchObject({ stored: true });
      expect(await a.documents.find(KEY, 'a.md')).toEqual(before);
      const analysed = await analyseDocument({ path: 'a.md', title: '', text: '', mediaType: 'text/plain' });
      const again = () => ({ result: 1, document: { row: before, analysed, fromTrash: taken } });
      await expect(a.documents.change(KEY, 'a.md', again)).rejects.toThrow('not in the trash any more');
      expect((await b.documents.findTrashed(KEY, 'a.md'))?.version).toBe('v2');
    });

    it('count in the quotas while they are in the trash, which is emptied, expires and ends with its project', async () => {
      for (const path of ['1', '2', '3', '4', '5']) {
        await put(a, path, { stored_bytes: 150 });
        await a.documents.delete(KEY, path, 3000, `2026-01-0${path}`);
      }
      const code = (work: Promise<unknown>) =>
        work.then(
          () => 'stored',
          (error: { problem?: { code: string } }) => error.problem?.code,
        );
      expect(await code(put(b, 'new'))).toBe('quota_exceeded');
      expect(await code(restore(b, '5'))).toBe('stored');
      expect((await b.documents.removeTrashed(KEY, [{ path: '4', version: 'v1' }])).map(({ path }) => path)).toEqual([
        '4',
      ]);
      expect(await code(put(b, 'new'))).toBe('stored');
      expect(await b.documents.removeTrashed(KEY, [{ path: '3', version: 'v0' }])).toEqual([]);
      const expired = await a.documents.expireTrash('2026-01-02');
      expect(expired.map(({ key, row }) => [key, row.path, row.file])).toEqual([[KEY, '1', 'file of 1']]);
      expect(await a.documents.removeTrashed({ ...KEY, projectId: 'q' }, [{}])).toEqual([]);
      expect((await a.documents.removeTrashed(KEY, [{}])).map(({ path }) => path).sort()).toEqual(['2', '3']);
      expect(await named()).toEqual(['file of 5', 'file of new']);
      await b.documents.delete(KEY, '5', 9000, '2026-01-09');
      await b.projects.delete(KEY);
      expect(await named()).toEqual([]);
      await a.projects.add({ ...KEY, projectId: 'q' }, 'More');
      expect(await code(put(a, 'large', { stored_bytes: 1000 }, { ...KEY, projectId: 'q' }))).toBe('stored');
    });

    it('are deleted and tagged several at once, each with its answer and with its own change', async () => {
      for (const path of ['1', '2', '3']) await put(a, path, { stored_bytes: 300 });
      const tagged = await b.documents.setTags(KEY, [
        { path: '1', tags: '["tax"]' },
        { path: 'none', tags: '["tax"]' },
        { path: '3', tags: '["a","b"]' },
      ]);
      expect(tagged.map((row) => row?.tags)).toEqual(['["tax"]', undefined, '["a","b"]']);
      await put(a, '2', { arrived_ms: 5000, file: 'late', stored_bytes: 300 });
      expect(await b.documents.deleteAll(KEY, ['1', 'none', '2'], 3000, '2026-01-02')).toEqual([
        { deleted: true, files: [null] },
        { deleted: false, files: [] },
        { deleted: true, files: [] },
      ]);
      expect((await a.documents.list(KEY, '', 10, 0)).documents.map(({ path }) => path)).toEqual(['2', '3']);
      expect((await a.documents.trash(KEY, 10, 0)).rows).toMatchObject([{ path: '1', tags: '["tax"]' }]);
      expect(await b.documents.deleteAll(KEY, ['3', '2', '1'], 6000)).toMatchObject([
        { deleted: true, files: ['file of 3', null, null] },
        { deleted: true, files: ['late', null, null] },
        { deleted: true },
      ]);
      // What was deleted for good does not count any more.
      await put(a, 'large', { stored_bytes: 700 });
      const gone = await b.documents.removeTrashed(KEY, [
        { path: '1' },
        { path: '1', version: 'v1' },
        { path: 'none' },
      ]);
      expect(gone.map(({ path }) => path)).toEqual(['1']);
      await put(a, 'more', { stored_bytes: 300 });
      expect(await a.documents.count(KEY)).toBe(2);
    });

    const move = async (stores: FilesystemStores, paths: [string, string][], isCopy = false, arrived_ms = 3000) => {
      const moves = await Promise.all(
        paths.map(async ([from, to]) => {
          const before = (await stores.documents.find(KEY, from)) as DocumentRow;
          const analysed = await analyseDocument({ path: to, title: to, text: 'Some text.', mediaType: 'text/plain' });
          const file = isCopy ? `copy of ${from}` : before.file;
          return { before, row: { ...before, path: to, version: 'moved', arrived_ms, file }, analysed };
        }),
      );
      return stores.documents.move(KEY, moves, isCopy);
    };
    const listed = async () => (await b.documents.below(KEY, '', 10)).map(({ path, file }) => [path, file]);

    it('are moved together, also to a path that one of them leaves, and their old paths are remembered', async () => {
      for (const path of ['a/1', 'a/a/1', 'ab']) await put(a, path);
      const unreadable = {
        ...{ path: 'a/1', media_type: 'application/pdf', reason: 'cut', received_at: 'now' },
        ...{ file: 'bad', sha256: 'y', stored_bytes: 5 },
      };
      await b.documents.change(KEY, 'a/1', () => ({ result: 1, unreadable }));
      await b.documents.change(KEY, 'z/1', () => ({
        result: 1,
        unreadable: { ...unreadable, path: 'z/1', file: 'old' },
      }));
      expect(await b.documents.below(KEY, 'a/', 10)).toHaveLength(2);
      expect(
        (
          await move(b, [
            ['a/1', 'z/1'],
            ['a/a/1', 'a/1'],
          ])
        ).filter((file) => file !== null),
      ).toEqual(['old']);
      expect(await listed()).toEqual([
        ['a/1', 'file of a/a/1'],
        ['ab', 'file of ab'],
        ['z/1', 'file of a/1'],
      ]);
      expect(await a.documents.findUnreadable(KEY, 'z/1')).toEqual({ ...unreadable, path: 'z/1' });
      expect(await a.documents.findUnreadable(KEY, 'a/1')).toBeUndefined();
      expect(await a.documents.state(KEY, 'a/a/1')).toMatchObject({ document: undefined, removedMs: 3000 });
    });

    it('are not moved to a taken path, nor after a change, and then none of them is', async () => {
      for (const path of ['a/1', 'a/2', 'b/2']) await put(a, path, { arrived_ms: 2000 });
      const before = await listed();
      const to = (n: number): [string, string] => [`a/${n}`, `b/${n}`];
      await expect(move(b, [to(1), to(2)])).rejects.toMatchObject({ problem: { code: 'path_taken' } });
      await expect(move(b, [to(1), to(2)], true)).rejects.toMatchObject({ problem: { code: 'path_taken' } });
      await expect(move(a, [to(1)], false, 1000)).rejects.toMatchObject({ problem: { code: 'superseded' } });
      const row = (await a.documents.find(KEY, 'a/1')) as DocumentRow;
      const analysed = await analyseDocument({ path: 'c', title: 'c', text: '', mediaType: 'text/plain' });
      const moves = [{ before: row, row: { ...row, path: 'c' }, analysed }];
      await put(b, 'a/1', { version: 'v2', file: 'next' });
      await expect(a.documents.move(KEY, moves, false)).rejects.toThrow('a/1 was changed meanwhile');
      expect(await listed()).toEqual([['a/1', 'next'], ...before.slice(1)]);
      await b.projects.delete(KEY);
      await expect(a.documents.move(KEY, moves, false)).rejects.toMatchObject({ problem: { code: 'deleted' } });
    });

    it('are copied within the quotas, and moved without them', async () => {
      for (const path of ['1', '2', '3']) await put(a, path, { stored_bytes: 100 });
      await expect(
        move(
          b,
          [
            ['1', 'c1'],
            ['2', 'c2'],
            ['3', 'c3'],
          ],
          true,
        ),
      ).rejects.toMatchObject({
        problem: { code: 'quota_exceeded' },
      });
      await move(
        b,
        [
          ['1', 'c1'],
          ['2', 'c2'],
        ],
        true,
      );
      await move(a, [
        ['1', 'd1'],
        ['2', 'd2'],
      ]);
      expect(await listed()).toEqual([
        ['3', 'file of 3'],
        ['c1', 'copy of 1'],
        ['c2', 'copy of 2'],
        ['d1', 'file of 1'],
        ['d2', 'file of 2'],
      ]);
      for (const { path } of await a.documents.below(KEY, '', 10)) await b.documents.delete(KEY, path, 9000);
      await put(a, 'large', { stored_bytes: 1000 });
    });

    it('are listed by the bytes of their paths, below a prefix', async () => {
      for (const path of ['b_1', 'b%2', 'B', 'ä', 'z']) await put(a, path);
      const paths = async (prefix: string, limit = 10, offset = 0) => {
        const { documents, total } = await b.documents.list(KEY, prefix, limit, offset);
        return [total, ...documents.map(({ path }) => path)];
      };
      expect(await paths('')).toEqual([5, 'B', 'b%2', 'b_1', 'z', 'ä']);
      expect(await paths('', 2, 1)).toEqual([5, 'b%2', 'b_1']);
      expect(await paths('b%')).toEqual([1, 'b%2']);
      expect(await paths('b_')).toEqual([1, 'b_1']);
    });

    it('are as many and as large as the quotas allow, over all projects and processes', async () => {
      await a.projects.add({ ...KEY, projectId: 'q' }, 'More');
      const code = (work: Promise<unknown>) =>
        work.then(
          () => 'stored',
          (error: { problem?: { code: string } }) => error.problem?.code,
        );
      const puts = Array.from({ length: 12 }, (_, i) =>
        code(put(i % 2 === 0 ? a : b, `${i}.md`, {}, i % 3 === 0 ? KEY : { ...KEY, projectId: 'q' })),
      );
      const answers = await Promise.all(puts);
      expect(answers.filter((answer) => answer === 'stored')).toHaveLength(5);
      expect(answers.filter((answer) => answer === 'quota_exceeded')).toHaveLength(7);
      await b.projects.delete({ ...KEY, projectId: 'q' });
      expect(await code(put(a, 'new.md', { stored_bytes: 900 }))).toBe('stored');
      expect(await code(put(b, 'new.md', { stored_bytes: 2000 }))).toBe('quota_exceeded');
      expect(await code(put(b, 'new.md', { stored_bytes: 800 }))).toBe('stored');
    });

    it('have the same inventory in both engines', async () => {
      await a.projects.add({ userId: 'Bob', projectId: 'x' }, 'Notes');
      for (const path of ['ä', 'z', 'B']) await put(a, path);
      await put(b, 'only', {}, { userId: 'Bob', projectId: 'x' });
      const first = await b.documents.inventory(undefined, 1);
      expect(first).toEqual({
        projects: [{ user_id: 'Bob', project_id: 'x', documents: 1, digest: expect.any(String) }],
        next: '["Bob","x"]',
      });
      const { projects, next } = await a.documents.inventory(first.next ?? undefined, 10);
      // SHA-256 of the paths B, z, ä with the version v1.
      expect(projects).toEqual([
        { user_id: 'ada', project_id: 'p', documents: 3, digest: '25466bb28000579db72bcb9cd71e9159' },
      ]);
      expect(next).toBeNull();
    });

    it('see each other’s changes in one order', async () => {
      const seen: (string | undefined)[] = [];
      const change = (stores: FilesystemStores, n: number) =>
        put(stores, 'a.md', { version: `v${n}` }).then(({ result }) => seen.push(result.document?.version));
      await Promise.all(Array.from({ length: 10 }, (_, n) => change(n % 2 === 0 ? a : b, n)));
      expect(new Set(seen).size).toBe(10);
    });
  });

  describe('conversations', () => {
    it('take a turn once, and never back to less of an answer', async () => {
      const states = ['pending', 'partial', 'complete', 'failed'] as const;
      const answerOf = (state: (typeof states)[number]) => ({ text: state, state, metadata: { nul: '\0' } });
      await Promise.all(
        [a, b, a].flatMap((stores) =>
          states.map((state) => putTurn(stores, 'c', turn('m1', { question: 'a\0b', answer: answerOf(state) }), 1)),
        ),
      );
      expect(await b.turns.page('ada', 'c', {})).toEqual({
        ...{ offset: 0, total: 1 },
        turns: [{ ...turn('m1', { question: 'a\0b', answer: answerOf('complete') }), parent_id: null }],
      });
      expect(await a.conversations.find('ada', 'c')).toMatchObject({ title: 'Why?', turns: 1, project_id: null });
    });

    it('keep a project that exists, drop one that never did, and refuse a deleted one', async () => {
      expect(await putTurn(a, 'c', turn('m1'), 1, 'unknown')).toBe('stored');
      expect(await a.conversations.find('ada', 'c')).toMatchObject({ project_id: null });
      expect(await putTurn(a, 'c', turn('m2'), 2, 'p')).toBe('stored');
      expect(await b.conversations.find('ada', 'c')).toMatchObject({ project_id: 'p', turns: 2 });
      await b.projects.delete(KEY);
      expect(await a.conversations.find('ada', 'c')).toBe('deleted');
      expect(await putTurn(a, 'c', turn('m3'), 3, 'p')).toBe('deleted_conversation');
      expect(await putTurn(a, 'd', turn('m1'), 3, 'p')).toBe('deleted_project');
    });

    it('keep a deleted id used, also one that was never stored', async () => {
      await putTurn(a, 'c', turn('m1'), 1);
      expect(await b.conversations.delete('ada', 'c')).toBe(true);
      expect(await a.conversations.delete('ada', 'c')).toBe(true);
      expect(await a.conversations.delete('ada', 'never')).toBe(false);
      await a.conversations.rename('ada', 'c', 'Back');
      for (const id of ['c', 'never']) {
        expect(await putTurn(b, id, turn('m1'), 1)).toBe('deleted_conversation');
        expect(await b.conversations.find('ada', id)).toBe('deleted');
      }
      expect(await a.conversations.list('ada', 10, 0)).toEqual({ conversations: [], total: 0 });
    });

    it('keep their branches where a turn is deleted', async () => {
      await putTurn(a, 'c', turn('m1'), 1);
      await putTurn(a, 'c', turn('m2', { parent_id: 'm1' }), 2);
      await putTurn(b, 'c', turn('m3', { parent_id: 'm2' }), 3);
      await putTurn(b, 'c', turn('m4', { parent_id: 'm1' }), 4);
      await putTurn(b, 'c', turn('m5', { parent_id: null }), 5);
      expect(await b.turns.delete('ada', 'c', 'm2')).toBe(true);
      expect(await a.turns.delete('ada', 'c', 'm2')).toBe(true);
      expect(await a.turns.delete('ada', 'c', 'unknown')).toBe(false);
      expect(await a.turns.delete('ada', 'c', 'unknown')).toBe(true);
      expect(await putTurn(a, 'c', turn('m2'), 2)).toBe('deleted_turn');
      const all = await b.turns.page('ada', 'c', { all: true });
      expect(all?.turns.map(({ message_id, parent_id }) => [message_id, parent_id])).toEqual([
        ['m1', null],
        ['m3', 'm1'],
        ['m4', 'm1'],
        ['m5', null],
      ]);
      const branch = await a.turns.page('ada', 'c', { through: 'm3' });
      expect(branch?.turns.map(({ message_id }) => message_id)).toEqual(['m1', 'm3']);
      expect(await a.turns.page('ada', 'c', { until: 'm2' })).toBeUndefined();
    });

    it('find the newest turn of a thread, preferably one that nothing follows', async () => {
      await putTurn(a, 'c', turn('m1', { thread: 't' }), 1);
      await putTurn(a, 'd', turn('m2', { thread: 't' }), 2);
      await putTurn(a, 'd', turn('m3', { parent_id: 'm2' }), 3);
      expect(await b.turns.findByThread('ada', 't')).toEqual({ conversation_id: 'c', message_id: 'm1' });
      await putTurn(a, 'c', turn('m4', { parent_id: 'm1' }), 4);
      expect(await b.turns.findByThread('ada', 't')).toEqual({ conversation_id: 'd', message_id: 'm2' });
      expect(await b.turns.findByThread('ada', 'other')).toBeUndefined();
      expect(await b.turns.findByThread('bob', 't')).toBeUndefined();
    });

    it('keep and remove a rating', async () => {
      await putTurn(a, 'c', turn('m1'), 1);
      const rating = { rating: 'up' as const, note: 'good\0', given_at: '2026-01-01T00:00:00.000Z' };
      expect(await b.turns.setFeedback('ada', 'c', 'm1', rating)).toBe(true);
      expect(await b.turns.setFeedback('bob', 'c', 'm1', rating)).toBe(false);
      expect((await a.turns.page('ada', 'c', {}))?.turns[0]?.feedback).toEqual(rating);
      await a.turns.setFeedback('ada', 'c', 'm1', null);
      expect((await a.turns.page('ada', 'c', {}))?.turns[0]).not.toHaveProperty('feedback');
    });
  });
}
