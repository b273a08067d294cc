import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BACKEND_PART } from '../../replicas/backend-database.js';
import { openPostgres } from '../../storage/postgres/open-postgres.js';
import type { Postgres } from '../../storage/postgres/postgres.js';
import { describeWithPostgres, PostgresServer, testSettings } from '../../storage/postgres/testing/postgres-server.js';
import type { AuditRecord, AuditStore } from './audit-store.js';
import { FileAuditStore } from './file-audit-store.js';
import { PostgresAuditStore } from './postgres-audit-store.js';

const recordAt = (time: string, id = time): AuditRecord => ({
  ...{ id, time, action: 'key.create', actor: 'ada', address: '10.0.0.1', objects: { id: 'k', credits: 3 } },
  ...{ request_id: 'a\0b', outcome: 'ok' },
});
const [FIRST, SECOND, THIRD] = ['2026-01-01T23:59:59.999Z', '2026-01-02T00:00:00.000Z', '2026-01-02T00:00:00.001Z'];
const linkOf = (path: string) => {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
};
const FOURTH = '2026-01-04T10:00:00.000Z';

function behavesAsAuditStore(open: () => Promise<AuditStore>): void {
  it('lists what was written, from a time on or the newest, oldest first', async () => {
    const store = await open();
    expect(await store.list(undefined, 10)).toEqual([]);
    await Promise.all([FIRST, SECOND, THIRD, FOURTH].map((time) => store.append(recordAt(time))));
    expect(await (await open()).list(undefined, 10)).toEqual([FIRST, SECOND, THIRD, FOURTH].map((t) => recordAt(t)));
    const times = async (since: string | undefined, limit: number) =>
      (await store.list(since, limit)).map(({ time }) => time);
    expect(await times(undefined, 2)).toEqual([THIRD, FOURTH]);
    expect(await times(SECOND, 2)).toEqual([SECOND, THIRD]);
    expect(await times('2026-01-02T00:00:00.002Z', 10)).toEqual([FOURTH]);
    expect(await times('2026-01-05T00:00:00.000Z', 10)).toEqual([]);
  });

  it('removes whole days that are too old', async () => {
    const store = await open();
    for (const time of [FIRST, SECOND, FOURTH]) await store.append(recordAt(time));
    await store.purge('2026-01-02T12:00:00.000Z');
    expect((await store.list(undefined, 10)).map(({ time }) => time)).toEqual([SECOND, FOURTH]);
  });
}

describe('the audit log in files', () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'caudex-audit-'))));
  afterEach(() => rmSync(dir, { recursive: true }));
  behavesAsAuditStore(async () => new FileAuditStore(join(dir, 'audit')));

  it('goes on behind a line that was cut off, in a file for its own user alone', async () => {
    const store = new FileAuditStore(dir);
    await store.append(recordAt(SECOND));
    const file = join(dir, '2026-01-02.jsonl');
    appendFileSync(file, '{"id":"half');
    await store.append(recordAt(THIRD));
    expect((await store.list(undefined, 10)).map(({ time }) => time)).toEqual([SECOND, THIRD]);
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(4);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(dir)).toEqual(['2026-01-02.jsonl']);
  });

  it('closes a file that was read in part', async () => {
    const store = new FileAuditStore(dir);
    // Longer than what a stream reads ahead.
    writeFileSync(join(dir, '2026-01-02.jsonl'), `${JSON.stringify(recordAt(SECOND))}\n`.repeat(10_000));
    const openFiles = () => readdirSync('/proc/self/fd').map((fd) => linkOf(`/proc/self/fd/${fd}`));
    expect(await store.list(FIRST, 1)).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(openFiles().filter((file) => file.startsWith(dir))).toEqual([]);
  });

  it('fails a write that is not possible, and takes the next one', async () => {
    const blocked = join(dir, 'audit');
    writeFileSync(blocked, '');
    const store = new FileAuditStore(blocked);
    await expect(store.append(recordAt(FIRST))).rejects.toThrow();
    rmSync(blocked);
    await store.append(recordAt(SECOND));
    expect(await store.list(undefined, 10)).toHaveLength(1);
  });
});

describeWithPostgres('the audit log in PostgreSQL', () => {
  let server: PostgresServer;
  let db: Postgres;
  beforeAll(async () => {
    server = await PostgresServer.start();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    db = await openPostgres(testSettings(await server.newDatabase()), BACKEND_PART, () => undefined);
  });
  afterEach(() => db.close());
  behavesAsAuditStore(async () => new PostgresAuditStore(db));

  it('is refused a change of a record and the deletion of a new one by the database', async () => {
    await new PostgresAuditStore(db).append(recordAt(new Date().toISOString()));
    const refusal = 'the audit log is append-only';
    await expect(db.write(`UPDATE audit SET record = ''`)).rejects.toThrow(refusal);
    await expect(db.write('DELETE FROM audit')).rejects.toThrow(refusal);
    await expect(db.write('TRUNCATE audit')).rejects.toThrow(refusal);
  });
});
