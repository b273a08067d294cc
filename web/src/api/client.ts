import createClient from 'openapi-fetch';
import { connection } from './connection.ts';
import type { paths } from '../../generated/api';

/** The public API, typed by its OpenAPI document. The session travels in the cookie. */
export const api = createClient<paths>({ baseUrl: '/', fetch: watchedFetch });

type Problem = paths['/v1/api/auth/check']['get']['responses'][401]['content']['application/problem+json'];

/** An answer of the backend that says no. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly status: number;
  readonly code: string;
  readonly retryAfterMs: number | undefined;

  constructor({ status, code, detail, retry_after }: Problem) {
    super(detail);
    this.status = status;
    this.code = code;
    this.retryAfterMs = retry_after === undefined ? undefined : retry_after * 1000;
  }
}

/** No answer came: the backend, or the way to it, is away. */
export class BackendAway extends Error {
  override readonly name = 'BackendAway';
}

/** `fetch` that tells the rest of the page whether the backend can be reached. @throws BackendAway */
export async function watchedFetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(input, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    connection.lost();
    throw new BackendAway('The backend did not answer.', { cause: error });
  }
  connection.reached();
  if (response.status === 401) connection.refused();
  return response;
}

/** The data of an answer. @throws ApiProblem, BackendAway */
export async function dataOf<T>(
  request: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<NonNullable<T>> {
  const { data, error, response } = await request;
  if (!response.ok) throw problemOf(response.status, error);
  return data as NonNullable<T>;
}

/** A proxy's answer may have any body, or none. */
export function problemOf(status: number, body: unknown): ApiProblem {
  const given: Partial<Problem> = typeof body === 'object' && body !== null ? body : {};
  const { code = 'unexpected_answer', detail = `The answer had the status ${status}.` } = given;
  return new ApiProblem({ type: '', title: '', request_id: '', ...given, status, code, detail });
}

/** Whether the same request may succeed a little later. */
export function isPassing(error: unknown): boolean {
  return error instanceof BackendAway || (error instanceof ApiProblem && [429, 502, 503, 504].includes(error.status));
}
