import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWithPostgres } from '../../../../storage/postgres/testing/postgres-server.js';
import type { AuthStores } from '../auth-stores.js';
import { describeStores, onPostgres } from '../testing/each-engine.js';
import { FileSigningKeyStore } from './file-signing-key-store.js';
import { SessionTokens } from './session-tokens.js';
import { SigningKeys } from './signing-keys.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

async function openTokens(stores: AuthStores, now: () => number) {
  const keys = await SigningKeys.open(stores.signingKeys, { rotationMs: 30 * DAY_MS, tokenTtlMs: DAY_MS, now });
  return { keys, tokens: new SessionTokens(keys, DAY_MS, stores.revoked, now), store: stores.signingKeys };
}

describeStores('signing keys and the tokens they sign', (openStores) => {
  let now: number;
  const open = async () => openTokens(await openStores(), () => now);

  beforeEach(() => {
    now = Date.parse('2026-01-01T00:00:00Z');
  });

  it('sign and verify across a restart', async () => {
    const { token, expiresAt } = await (await open()).tokens.issue('ada');
    expect(expiresAt).toBe(now + DAY_MS);
    expect(await (await open()).tokens.read(token)).toMatchObject({ userId: 'ada', expiresAt });
    expect(await (await open()).store.load()).toHaveLength(1);
  });

  it('reject an expired token', async () => {
    const { tokens } = await open();
    const { token } = await tokens.issue('ada');
    now += DAY_MS - 1000;
    expect(await tokens.read(token)).toMatchObject({ userId: 'ada' });
    now += 1000;
    expect(await tokens.read(token)).toBe('expired');
  });

  it('rotate: the newest signs, the old ones verify until their tokens have expired', async () => {
    const { keys, tokens, store } = await open();
    const first = await keys.current();
    now += 30 * DAY_MS - HOUR_MS;
    const { token: late } = await tokens.issue('ada');
    now += HOUR_MS;
    const second = await keys.current();
    expect(second.kid).not.toBe(first.kid);
    const { token: early } = await tokens.issue('ada');
    now += 22 * HOUR_MS;
    expect(await tokens.read(late)).toMatchObject({ userId: 'ada' });
    expect(await tokens.read(early)).toMatchObject({ userId: 'ada' });
    expect(await (await open()).tokens.read(late)).toMatchObject({ userId: 'ada' });

    now += 30 * DAY_MS;
    await keys.current();
    expect(await keys.verifying(first.kid)).toBeUndefined();
    expect(await tokens.read(late)).toBe('unknown');
    expect(await store.load()).toHaveLength(2);
  });

  it('reject a token whose key was deleted', async () => {
    const { tokens, store } = await open();
    const { token } = await tokens.issue('ada');
    for (const { kid } of await store.load()) await store.remove(kid);
    expect(await (await open()).tokens.read(token)).toBe('unknown');
  });

  it('revoke a token', async () => {
    const { tokens } = await open();
    const { token } = await tokens.issue('ada');
    expect(await tokens.revoke(token)).toBe(true);
    expect(await (await open()).tokens.read(token)).toBe('revoked');
  });
});

it('signing keys name a file that is not a key', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'caudex-keys-'));
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'broken.json'), '{"kid":"x"}');
  const opening = SigningKeys.open(new FileSigningKeyStore(dir), { rotationMs: DAY_MS, tokenTtlMs: DAY_MS });
  await expect(opening).rejects.toThrow(/broken\.json is not a signing key/);
  expect(readdirSync(dir)).toEqual(['broken.json']);
  rmSync(dir, { recursive: true });
});

describeWithPostgres('the signing keys of two auth servers', () => {
  onPostgres((openStores) => {
    it('are the same, also after each rotation', async () => {
      let now = Date.parse('2026-01-01T00:00:00Z');
      const clock = () => now;
      const [a, b] = await Promise.all([openTokens(await openStores(), clock), openTokens(await openStores(), clock)]);
      expect((await a.keys.current()).kid).toBe((await b.keys.current()).kid);
      expect(await b.tokens.read((await a.tokens.issue('ada')).token)).toMatchObject({ userId: 'ada' });
      now += 31 * DAY_MS;
      await new Promise((resolve) => setTimeout(resolve, 1100));
      expect(await b.tokens.read((await a.tokens.issue('ada')).token)).toMatchObject({ userId: 'ada' });
      await Promise.all([a.keys.current(), b.keys.current()]);
      expect((await a.keys.current()).kid).toBe((await b.keys.current()).kid);
      expect(await a.store.load()).toHaveLength(2);
    });
  });
});
