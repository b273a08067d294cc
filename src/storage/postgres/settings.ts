import type { Config } from '../../config/config.schema.js';

export type PostgresSettings = Config['storage']['postgres'] & { url: string };

/** The settings of PostgreSQL; undefined where the process keeps its data in SQLite. */
export function postgresSettings({ storage, secrets }: Config): PostgresSettings | undefined {
  return secrets.database_url === undefined ? undefined : { ...storage.postgres, url: secrets.database_url };
}
