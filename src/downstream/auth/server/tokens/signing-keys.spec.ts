import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { RevokedTokens } from './revoked-tokens.js';
import { SessionTokens } from './session-tokens.js';
import { SigningKeys } from './signing-keys.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const db = new DatabaseSync(':memory:');
db.exec('CREATE TABLE revocation (token_id TEXT PRIMARY KEY, expires_at INTEGER NOT NULL)');
const nothingRevoked = new RevokedTokens(db);

describe('signing keys and the tokens they sign', () => {
  let dir: string;
  let now: number;
  const clock = () => now;
  const open = async () => {
    const keys = await SigningKeys.open(dir, { rotationMs: 30 * DAY_MS, tokenTtlMs: DAY_MS, now: clock });
    return { keys, tokens: new SessionTokens(keys, DAY_MS, nothingRevoked, clock) };
  };

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'caudex-keys-'));
    now = Date.parse('2026-01-01T00:00:00Z');
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('sign and verify across a restart', async () => {
    const { token, expiresAt } = await (await open()).tokens.issue('ada');
    expect(expiresAt).toBe(now + DAY_MS);
    expect(await (await open()).tokens.read(token)).toMatchObject({ userId: 'ada', expiresAt });
    expect(readdirSync(dir)).toHaveLength(1);
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
    const { keys, tokens } = await open();
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
    expect(keys.verifying(first.kid)).toBeUndefined();
    expect(await tokens.read(late)).toBe('unknown');
    expect(readdirSync(dir)).toHaveLength(2);
  });

  it('reject a token that another key signed', async () => {
    const { token } = await (await open()).tokens.issue('ada');
    rmSync(dir, { recursive: true });
    const { tokens } = await open();
    expect(await tokens.read(token)).toBe('unknown');
  });

  it('name a file that is not a key', async () => {
    await open();
    writeFileSync(join(dir, 'broken.json'), '{"kid":"x"}');
    await expect(open()).rejects.toThrow(/broken\.json is not a signing key/);
  });
});
