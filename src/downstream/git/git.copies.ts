import type { Copy } from '../../resilience/wire/contract-client.js';
import type { GitClient } from './git.client.js';

/** The clients of the single git servers, each of which keeps the whole history. */
export const GIT_COPIES = Symbol('GIT_COPIES');
export type GitCopy = Copy<GitClient>;
