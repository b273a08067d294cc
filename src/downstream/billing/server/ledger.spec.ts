import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { openPostgres } from '../../../storage/postgres/open-postgres.js';
import type { Postgres } from '../../../storage/postgres/postgres.js';
import {
  describeWithPostgres,
  PostgresServer,
  testSettings,
} from '../../../storage/postgres/testing/postgres-server.js';
import { BILLING_PART } from './billing-database.js';
import type { Ledger, LedgerOptions } from './ledger.js';
import { PostgresLedger } from './postgres-ledger.js';
import { SqliteLedger } from './sqlite-ledger.js';

describe('a ledger in SQLite', () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'caudex-billing-'))));
  afterEach(() => rmSync(dir, { recursive: true }));

  behavesAsLedger(async (options) => new SqliteLedger(join(dir, 'ledger.sqlite'), options));
});

describeWithPostgres('a ledger in PostgreSQL', () => {
  let server: PostgresServer;
  let pools: [Postgres, Postgres];
  beforeAll(async () => {
    server = await PostgresServer.start();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    const url = await server.newDatabase();
    const open = () => openPostgres(testSettings(url), BILLING_PART, () => undefined);
    pools = [await open(), await open()];
  });
  afterEach(() => Promise.all(pools.map((pool) => pool.close())));

  behavesAsLedger(async (options) => new PostgresLedger(pools[0], options));

  it('holds, charges and creates once where two servers do so at the same time', async () => {
    const options = { startingCredits: 100, reservationTtlMs: 60_000 };
    const ledgers = pools.map((pool) => new PostgresLedger(pool, options));
    const both = <T>(n: number, call: (ledger: Ledger, index: number) => Promise<T>) =>
      Promise.all(ledgers.flatMap((ledger) => Array.from({ length: n }, (_, index) => call(ledger, index))));

    await both(5, (ledger) => ledger.balance('ada'));
    expect((await ledgers[0]?.rows('ada', 10, 0))?.total).toBe(1);

    const held = await Promise.all(
      ledgers.flatMap((ledger, l) => Array.from({ length: 10 }, (_, n) => ledger.reserve('ada', `m${l}-${n}`, 7))),
    );
    expect(held.filter((answer) => answer.held)).toHaveLength(14);
    expect(await ledgers[1]?.balance('ada')).toEqual({ credits: 100, reserved: 98 });

    const charged = await both(10, (ledger, n) => ledger.capture('ada', `m0-${n}`, 3));
    expect(charged.every((answer) => answer.charged === 3)).toBe(true);
    expect((await ledgers[0]?.balance('ada'))?.credits).toBe(70);
    const { rows, total } = (await ledgers[0]?.rows('ada', 100, 0)) ?? { rows: [], total: 0 };
    expect([rows.length, total]).toEqual([11, 11]);
    expect(rows.reduce((sum, row) => sum + row.credits, 0)).toBe(70);
  });

  it('refuses a message id with U+0000', async () => {
    const ledger = new PostgresLedger(pools[0], { startingCredits: 100, reservationTtlMs: 60_000 });
    await expect(ledger.capture('ada', 'a\0b', 1)).rejects.toThrow('U+0000');
    expect(await ledger.balance('ada')).toEqual({ credits: 100, reserved: 0 });
  });
});

/** The behaviour of every store of credits. `open` opens the same one each time within a test. */
function behavesAsLedger(openWith: (options: LedgerOptions) => Promise<Ledger>): void {
  let ledger: Ledger;
  let now = 0;
  const open = (startingCredits = 100) => openWith({ startingCredits, reservationTtlMs: 1000, now: () => now });

  beforeEach(async () => {
    now = Date.parse('2026-01-01T00:00:00Z');
    ledger = await open();
  });
  afterEach(() => ledger.close());

  it('gives an account its starting credits once, as a row', async () => {
    expect(await ledger.balance('ada')).toEqual({ credits: 100, reserved: 0 });
    await ledger.balance('ada');
    const { rows, total } = await ledger.rows('ada', 10, 0);
    expect(total).toBe(1);
    expect(rows).toMatchObject([
      { kind: 'grant', credits: 100, message_id: null, created_at: '2026-01-01T00:00:00.000Z' },
    ]);
  });

  it('holds credits for a message once', async () => {
    expect(await ledger.reserve('ada', 'm1', 60)).toEqual({ credits: 100, reserved: 60, held: true });
    expect(await ledger.reserve('ada', 'm1', 60)).toEqual({ credits: 100, reserved: 60, held: true });
    expect(await ledger.reserve('ada', 'm2', 41)).toEqual({ credits: 100, reserved: 60, held: false });
    expect(await ledger.reserve('ada', 'm2', 40)).toEqual({ credits: 100, reserved: 100, held: true });
  });

  it('charges a message once and ends its reservation', async () => {
    await ledger.reserve('ada', 'm1', 60);
    expect(await ledger.capture('ada', 'm1', 20)).toEqual({ credits: 80, reserved: 0, charged: 20 });
    expect(await ledger.capture('ada', 'm1', 50)).toEqual({ credits: 80, reserved: 0, charged: 20 });
    expect(await ledger.reserve('ada', 'm1', 60)).toEqual({ credits: 80, reserved: 0, held: true });
    now += 5000;
    expect(await ledger.reserve('ada', 'm1', 60)).toEqual({ credits: 80, reserved: 0, held: true });
  });

  it('charges a message without a reservation in full: the debt is kept, and nothing is held until it is paid', async () => {
    expect(await ledger.capture('ada', 'm1', 70)).toMatchObject({ credits: 30, charged: 70 });
    expect(await ledger.capture('ada', 'm2', 70)).toMatchObject({ credits: -40, charged: 70 });
    expect(await ledger.capture('ada', 'm3', 70)).toMatchObject({ credits: -110, charged: 70 });
    expect((await ledger.rows('ada', 2, 0)).rows.map((row) => row.credits)).toEqual([-70, -70]);
    expect(await ledger.reserve('ada', 'm4', 1)).toMatchObject({ held: false, credits: -110 });
  });

  it('holds nothing for a released message, also when the reservation arrives late', async () => {
    await ledger.reserve('ada', 'm1', 60);
    expect(await ledger.release('ada', 'm1')).toEqual({ credits: 100, reserved: 0 });
    await ledger.release('ada', 'm2');
    expect(await ledger.reserve('ada', 'm1', 60)).toMatchObject({ reserved: 0, held: true });
    expect(await ledger.reserve('ada', 'm2', 60)).toMatchObject({ reserved: 0, held: true });
  });

  it('ends an abandoned reservation', async () => {
    await ledger.reserve('ada', 'm1', 100);
    now += 999;
    expect(await ledger.reserve('ada', 'm2', 1)).toMatchObject({ held: false });
    now += 1;
    expect(await ledger.reserve('ada', 'm2', 100)).toMatchObject({ reserved: 100, held: true });
    expect(await ledger.capture('ada', 'm1', 10)).toMatchObject({ credits: 90, charged: 10 });
  });

  it('grants credits once for each id, with the note as it was written', async () => {
    const grant = { id: 'g1', credits: 50, note: 'thanks\n\u0000 "x"' };
    expect(await ledger.grant('ada', grant)).toEqual({ credits: 150, reserved: 0, granted: 50 });
    expect(await ledger.grant('ada', { ...grant, credits: 70 })).toEqual({ credits: 150, reserved: 0, granted: 50 });
    await ledger.grant('ada', { id: 'g2', credits: 1 });
    const { rows } = await ledger.rows('ada', 2, 0);
    expect(rows[0]).not.toHaveProperty('note');
    expect(rows[1]).toMatchObject({ kind: 'grant', credits: 50, note: grant.note });
  });

  it('separates accounts with the same message ids', async () => {
    await ledger.capture('ada', 'm1', 70);
    expect(await ledger.balance('bob')).toEqual({ credits: 100, reserved: 0 });
    expect(await ledger.capture('bob', 'm1', 5)).toMatchObject({ charged: 5 });
    expect((await ledger.rows('bob', 10, 0)).total).toBe(2);
  });

  it('deletes an account once, drops its late charges, and opens it again without starting credits', async () => {
    await ledger.reserve('ada', 'm1', 30);
    await ledger.capture('ada', 'm2', 20);
    await ledger.closeAccount('ada', '2026-01-01T00:00:00.000Z');
    expect(await ledger.capture('ada', 'm1', 30)).toEqual({ credits: 0, reserved: 0, charged: 0 });
    expect(await ledger.rows('bob', 10, 0)).toMatchObject({ total: 1 });
    expect(await ledger.balance('ada')).toEqual({ credits: 0, reserved: 0 });
    await ledger.grant('ada', { id: 'g', credits: 5 });
    expect(await ledger.capture('ada', 'm3', 2)).toEqual({ credits: 3, reserved: 0, charged: 2 });
    await ledger.closeAccount('ada', '2026-01-01T00:00:00.000Z');
    expect(await ledger.balance('ada')).toEqual({ credits: 3, reserved: 0 });
    await ledger.closeAccount('ada', '2026-01-02T00:00:00.000Z');
    expect(await ledger.balance('ada')).toEqual({ credits: 0, reserved: 0 });
  });

  it('keeps all data when it is opened again', async () => {
    await ledger.reserve('ada', 'm1', 30);
    await ledger.capture('ada', 'm2', 20);
    await ledger.close();
    ledger = await open(7);
    expect(await ledger.balance('ada')).toEqual({ credits: 80, reserved: 30 });
  });

  it('stays the sum of its rows, and of all charges, under any mix of calls', async () => {
    const message = fc.integer({ min: 0, max: 9 }).map((n) => `m${n}`);
    const credits = fc.integer({ min: 0, max: 70 });
    const call = fc.oneof(
      fc.record({ kind: fc.constant('reserve' as const), message, credits }),
      fc.record({ kind: fc.constant('capture' as const), message, credits }),
      fc.record({ kind: fc.constant('release' as const), message, credits: fc.constant(0) }),
      fc.record({ kind: fc.constant('wait' as const), message, credits }),
    );
    let account = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 40 }), async (calls) => {
        const user = `user${account++}`;
        const charged = new Map<string, number>();
        await Promise.all(
          calls.map(async ({ kind, message, credits }) => {
            if (kind === 'wait') now += credits * 10;
            if (kind === 'reserve') {
              const answer = await ledger.reserve(user, message, credits);
              if (!answer.held) expect(answer.credits - answer.reserved).toBeLessThan(credits);
            }
            if (kind === 'release') await ledger.release(user, message);
            if (kind === 'capture') {
              const answer = await ledger.capture(user, message, credits);
              expect(answer.charged).toBe(charged.get(message) ?? answer.charged);
              charged.set(message, answer.charged);
            }
          }),
        );
        const { rows } = await ledger.rows(user, 1000, 0);
        const { credits: balance } = await ledger.balance(user);
        expect(balance).toBe(rows.reduce((sum, row) => sum + row.credits, 0));
        expect(balance).toBe(100 - [...charged.values()].reduce((sum, n) => sum + n, 0));
        expect(rows.filter((row) => row.kind === 'capture')).toHaveLength(charged.size);
      }),
      { numRuns: 100 },
    );
  });
}
