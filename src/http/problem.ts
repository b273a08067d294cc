import { HttpException } from '@nestjs/common';

export interface ProblemDetails {
  status: number;
  /** Stable, for programs: a client may branch on it. */
  code: string;
  /** For people: what was wrong with which value, and what would be right. */
  detail: string;
  /** Seconds until a retry makes sense; also sent as `Retry-After`. */
  retryAfter?: number;
  /** The faults of the input, each with the path of the value. */
  errors?: readonly { path: string; detail: string }[];
}

/** An answer of status 4xx or 5xx, written out as `application/problem+json` (RFC 9457). */
export class Problem extends HttpException {
  constructor(readonly problem: ProblemDetails) {
    super(problem.detail, problem.status);
    this.name = 'Problem';
  }
}

export const badRequest = (code: string, detail: string) => new Problem({ status: 400, code, detail });
/** @param detail a whole sentence that names the value */
export const notFound = (detail: string) => new Problem({ status: 404, code: 'not_found', detail });
