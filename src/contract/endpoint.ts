import type { z, ZodType } from 'zod';

/**
 * One call between two processes, as plain data that client and server both use: the client builds its request and
 * checks the answer by it, the server routes and checks the request by it.
 */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** A path template; `:name` segments are filled from `params`. */
  readonly path: string;
  readonly params?: ZodType<Record<string, string>>;
  /** Query values travel as text: use `z.coerce` for numbers. */
  readonly query?: ZodType;
  readonly body?: ZodType;
  readonly response: ZodType;
  /** The status of success; 200 where it is not set. */
  readonly status?: number;
  /** Whether the call may be repeated without harm; one that is not is retried only under an idempotency key. */
  readonly idempotent: boolean;
  /** Whether the call changes nothing; GET calls never do. */
  readonly safe?: boolean;
}

type Part<
  E extends Endpoint,
  K extends 'params' | 'query' | 'body',
  Side extends 'input' | 'output',
> = E[K] extends ZodType ? { [P in K]: Side extends 'input' ? z.input<E[K]> : z.output<E[K]> } : object;

/** What a caller hands over: `{params, query, body}`, as far as the endpoint has them. */
export type EndpointInput<E extends Endpoint> = Part<E, 'params', 'input'> &
  Part<E, 'query', 'input'> &
  Part<E, 'body', 'input'>;
/** The same after it was checked, as the server's handler gets it. */
export type EndpointRequest<E extends Endpoint> = Part<E, 'params', 'output'> &
  Part<E, 'query', 'output'> &
  Part<E, 'body', 'output'>;
export type EndpointOutput<E extends Endpoint> = z.output<E['response']>;

/** All calls of one service by name. */
export type ServiceContract = Readonly<Record<string, Endpoint>>;

/** The headers that every call between the processes carries. Times are milliseconds. */
export const HEADER = {
  internalToken: 'x-internal-token',
  requestId: 'x-request-id',
  userId: 'x-user-id',
  /** How much longer the caller will wait. Remaining time, not a point in time, so that clocks need not agree. */
  deadlineMs: 'x-request-timeout-ms',
  idempotencyKey: 'idempotency-key',
  /** 1 for the first attempt. */
  attempt: 'x-attempt',
  /** In an answer: the caller must not try again. */
  doNotRetry: 'x-do-not-retry',
  /** In an answer: an id that is new with each start of the server. Its stores may have been lost or restored meanwhile. */
  instance: 'x-server-instance',
} as const;
