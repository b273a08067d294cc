import { join } from 'node:path';
import type { Part } from '../../../storage/postgres/open-postgres.js';

/** Billing's part of the PostgreSQL database. */
export const BILLING_PART: Part = { namespace: 'billing', migrations: join(import.meta.dirname, 'migrations') };
