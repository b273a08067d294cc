import { strict as assert } from 'node:assert';

/** Where the system is, and what it holds: see clients.spec.ts. */
export const { CAUDEX_URL: url, CAUDEX_TOKEN: token, CAUDEX_PROJECT: project } = process.env;
export const baseURL = `${url}/v1`;
export const model = `caudex:${project}`;
export const QUESTION = 'When do pears ripen?';
export const ANSWER = 'Pears ripen in September [1].';
export { assert };
