import type { Postgres } from '../../../../storage/postgres/postgres.js';
import { newestFirst, SigningKeyStore, type StoredKey, storedKeySchema } from '../tokens/signing-key-store.js';

interface Row {
  [column: string]: unknown;
  kid: string;
  created_at: string;
  private_jwk: string;
}

const ALL = 'SELECT kid, created_at, private_jwk FROM signing_key';

/** The key pairs in a table, so that all auth servers sign and verify with the same ones. */
export class PostgresSigningKeyStore extends SigningKeyStore {
  constructor(private readonly db: Postgres) {
    super();
  }

  async load(): Promise<StoredKey[]> {
    return newestFirst((await this.db.read<Row>(ALL)).rows.map(storedKey));
  }

  renew(renew: (newest: StoredKey | undefined) => Promise<StoredKey | undefined>): Promise<void> {
    return this.db.transaction(async (session) => {
      await session.query('LOCK TABLE signing_key IN SHARE ROW EXCLUSIVE MODE');
      const made = await renew(newestFirst((await session.query<Row>(ALL)).rows.map(storedKey))[0]);
      if (made === undefined) return;
      const values = [made.kid, made.created_at, JSON.stringify(made.private_jwk)];
      await session.query('INSERT INTO signing_key (kid, created_at, private_jwk) VALUES ($1, $2, $3)', values);
    });
  }

  async remove(kid: string): Promise<void> {
    await this.db.write('DELETE FROM signing_key WHERE kid = $1', [kid], { isIdempotent: true });
  }
}

function storedKey({ private_jwk, ...row }: Row): StoredKey {
  try {
    return storedKeySchema.parse({ ...row, private_jwk: JSON.parse(private_jwk) as unknown });
  } catch (error) {
    throw new Error(
      `auth.signing_key has a row that is not a key (${row.kid}); delete it; all users must sign in again then`,
      {
        cause: error,
      },
    );
  }
}
