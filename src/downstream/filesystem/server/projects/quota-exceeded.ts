import { Problem } from '../../../../http/problem.js';

/** The change would exceed a limit of the user's store. */
export function quotaExceeded(what: 'projects' | 'documents' | 'bytes', wanted: number, most: number): Problem {
  return new Problem({
    status: 507,
    code: 'quota_exceeded',
    detail: `With this you would have ${wanted} ${what}, and ${most} are the most one user may have (quotas.${what}); nothing was changed. Delete what you do not need.`,
  });
}
