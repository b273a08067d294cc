import { join } from 'node:path';
import type { Part } from '../../../../storage/postgres/open-postgres.js';

/** Auth's part of the PostgreSQL database. */
export const AUTH_PART: Part = { namespace: 'auth', migrations: join(import.meta.dirname, 'migrations') };
