import type { Config } from '../../../../config/config.schema.js';
import { Problem } from '../../../../http/problem.js';

const DAY_MS = 86_400_000;

/** How long a document stays in the trash; 0: there is no trash. */
export const trashKeptMs = ({ documents }: Config) => documents.trash_days * DAY_MS;

/** @param instead what the caller can do without a trash */
export function trashOff(instead: string): Problem {
  const detail = `trash: there is no trash here, because documents.trash_days is 0; ${instead}. Nothing was changed.`;
  return new Problem({ status: 422, code: 'trash_off', detail });
}
