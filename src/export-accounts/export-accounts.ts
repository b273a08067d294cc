import { writeFileSync } from 'node:fs';
import type { Config } from '../config/config.schema.js';
import { StartError } from '../config/start-error.js';
import { openAuthStores } from '../downstream/auth/server/auth-stores.js';
import type { Account } from '../downstream/auth/server/local/account-store.js';
import { AUTH_PART } from '../downstream/auth/server/postgres/auth-part.js';
import { openPostgres } from '../storage/postgres/open-postgres.js';
import { postgresSettings } from '../storage/postgres/settings.js';

interface ScryptCost {
  n: string;
  r: string;
  p: string;
  keyBytes: number;
}

/**
 * Writes the local accounts as `firebase auth:import` reads them, with their user ids, so that they keep their data, and with
 * their password hashes. One import takes one cost of hashes: accounts with another cost are in a further file.
 * @throws StartError where a file exists already
 */
export async function exportAccounts(config: Config, file: string, print = console.log): Promise<void> {
  const settings = postgresSettings(config);
  const database = settings === undefined ? null : await openPostgres(settings, AUTH_PART, print);
  const stores = openAuthStores(config, database);
  try {
    const accounts = await stores.accounts.all();
    if (accounts.length === 0) throw new StartError('there are no local accounts');
    const byCost = Map.groupBy(accounts, ({ password_hash }) => JSON.stringify(costOf(password_hash)));
    for (const [index, [cost, some]] of [...byCost].entries()) {
      const name = index === 0 ? file : file.replace(/(\.json)?$/, `-${index + 1}$1`);
      write(name, some);
      const { n, r, p, keyBytes } = JSON.parse(cost) as ScryptCost;
      print(`${some.length} accounts: firebase auth:import ${name} --hash-algo=STANDARD_SCRYPT --mem-cost=${n} \\`);
      print(`  --block-size=${r} --parallelization=${p} --dk-len=${keyBytes} --project PROJECT`);
    }
  } finally {
    stores.close();
    await database?.close();
  }
}

/** `scrypt$N$r$p$salt$key`, see PasswordHasher. */
const partsOf = (hash: string) => hash.split('$') as [string, string, string, string, string, string];

function costOf(hash: string): ScryptCost {
  const [, n, r, p, , key] = partsOf(hash);
  return { n, r, p, keyBytes: Buffer.from(key, 'base64url').length };
}

function write(file: string, accounts: readonly Account[]): void {
  const users = accounts.map(({ user_id, email, password_hash }) => {
    const [, , , , salt, key] = partsOf(password_hash);
    const base64 = (text: string) => Buffer.from(text, 'base64url').toString('base64');
    return { localId: user_id, email, emailVerified: false, passwordHash: base64(key), salt: base64(salt) };
  });
  try {
    writeFileSync(file, JSON.stringify({ users }, null, 2), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new StartError(`${file} exists already; name another file`);
  }
}
