import type { ProblemDetails } from '../../../../http/problem.js';
import { toProblem } from '../../../../http/problem.filter.js';

/** The answer for a document that a call for several could not change or read. */
export interface Refused {
  path: string;
  status: number;
  code: string;
  detail: string;
}

export const refusedAt = (path: string, { status, code, detail }: ProblemDetails): Refused => ({
  path,
  status,
  code,
  detail,
});

/** The answer that a document would get alone. @throws the error where it is one of the server */
export function refusal(error: unknown): ProblemDetails {
  const problem = toProblem(error);
  if (problem.status >= 500 && problem.status !== 507) throw error;
  return problem;
}
