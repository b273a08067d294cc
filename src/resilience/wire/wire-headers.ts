import { HEADER } from '../../contract/endpoint.js';
import type { Attempt } from '../policy/attempt.js';
import type { Clock } from '../policy/clock.js';

export type Headers = Record<string, string>;
export type HeaderWriter = (attempt: Attempt) => Headers;

/** The headers of a call to one of our own servers. */
export function internalHeaders(token: string, clock: Clock): HeaderWriter {
  return ({ call: { context }, number, expiresAtMs, trace }) => {
    const headers: Headers = {
      accept: 'application/json',
      [HEADER.internalToken]: token,
      [HEADER.requestId]: context.requestId,
      [HEADER.attempt]: String(number),
      [HEADER.deadlineMs]: String(Math.max(1, Math.floor(expiresAtMs - clock.now()))),
    };
    if (context.userId !== undefined) headers[HEADER.userId] = context.userId;
    if (context.idempotencyKey !== undefined) headers[HEADER.idempotencyKey] = context.idempotencyKey;
    const traceparent = trace?.traceparent ?? context.traceparent;
    if (traceparent !== undefined) headers['traceparent'] = traceparent;
    return headers;
  };
}

/** The headers of a call to an outside service: its key, and nothing about our users. */
export function bearerHeaders(key: string | undefined): HeaderWriter {
  return () => {
    const headers: Headers = {};
    if (key !== undefined) headers['authorization'] = `Bearer ${key}`;
    return headers;
  };
}
