import { scryptSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../src/config/config.loader.js';
import { AuthServerModule } from '../src/downstream/auth/server/auth-server.module.js';
import { exportAccounts } from '../src/export-accounts/export-accounts.js';
import { startForTest } from './server-under-test.js';

it('exports the accounts with their ids and password hashes, for an import into Firebase', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'caudex-accounts-'));
  const password = 'correct horse';
  for (const cost of ['1024', '2048']) {
    const server = await startForTest('auth', AuthServerModule, { DATA_DIR: dir, CAUDEX__AUTH__SCRYPT_N: cost });
    await server.call('POST', '/accounts', { body: { email: `n${cost}@example.com`, password } });
    await server.close();
  }
  const config = loadConfig({ NODE_ENV: 'test', DATA_DIR: dir });
  const lines: string[] = [];
  const file = join(dir, 'users.json');
  await exportAccounts(config, file, (line: string) => void lines.push(line));
  for (const [name, cost] of [
    ['users.json', 1024],
    ['users-2.json', 2048],
  ] as const) {
    const { users } = JSON.parse(readFileSync(join(dir, name), 'utf8')) as { users: Record<string, string>[] };
    expect(users).toMatchObject([{ email: `n${cost}@example.com`, localId: expect.stringMatching(/./) }]);
    const salt = Buffer.from(users[0]?.['salt'] ?? '', 'base64');
    const key = scryptSync(password, salt, 32, { N: cost, r: 8, p: 1, maxmem: 256 * cost * 8 });
    expect(users[0]?.['passwordHash']).toBe(key.toString('base64'));
    expect(lines.join('\n')).toContain(`${name} --hash-algo=STANDARD_SCRYPT --mem-cost=${cost} `);
  }
  await expect(exportAccounts(config, file, () => undefined)).rejects.toThrow('exists already');
  rmSync(dir, { recursive: true });
});
