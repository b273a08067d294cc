import { Problem } from '../../../../http/problem.js';

/** One user's store would have more of something than one user may have. */
export function quotaExceeded(what: 'projects' | 'documents' | 'bytes', wanted: number, most: number): Problem {
  return new Problem({
    status: 507,
    code: 'quota_exceeded',
    detail: `With this you would have ${wanted} ${what}, and ${most} are the most one user may have (quotas.${what}); nothing was changed. Delete what you do not need.`,
  });
}
