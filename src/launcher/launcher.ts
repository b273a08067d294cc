import type { Config } from '../config/config.schema.js';
export const startAll = (_c: Config) => Promise.resolve();
