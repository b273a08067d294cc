import { join } from 'node:path';
import { DatabaseModule } from '../http/database.module.js';
import type { Part } from '../storage/postgres/open-postgres.js';

/** The backend's part of the PostgreSQL database. */
export const BACKEND_PART: Part = { namespace: 'backend', migrations: join(import.meta.dirname, 'migrations') };

/** One object for all modules of the backend, so that they share the connections. */
export const BACKEND_DATABASE = DatabaseModule.of(BACKEND_PART);
