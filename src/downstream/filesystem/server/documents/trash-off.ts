import { Problem } from '../../../../http/problem.js';

export function trashOff(): Problem {
  const detail =
    'trash: there is no trash here, because documents.trash_days is 0; without this parameter the document is deleted for good. Nothing was changed.';
  return new Problem({ status: 422, code: 'trash_off', detail });
}
