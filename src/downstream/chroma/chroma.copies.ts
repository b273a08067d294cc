import type { Copy } from '../../resilience/wire/contract-client.js';
import type { ChromaClient } from './chroma.client.js';

/** The clients of the single chroma servers, each of which keeps the whole index. */
export const CHROMA_COPIES = Symbol('CHROMA_COPIES');
export type ChromaCopy = Copy<ChromaClient>;
