import type { ClientName } from '../../config/config.schema.js';
import { type Endpoint, HEADER } from '../../contract/endpoint.js';
import { DownstreamError } from '../policy/downstream-error.js';
import type { WireAnswer } from './http-transport.js';
import { describeFault } from './wire-request.js';

/** What the contract promises. @throws DownstreamError for every answer that is not that */
export function decode(service: ClientName, endpoint: Endpoint, answer: WireAnswer): unknown {
  const expected = endpoint.status ?? 200;
  if (answer.status !== expected) throw refusalOf(service, answer, `status ${answer.status} instead of ${expected}`);
  let json: unknown;
  try {
    json = JSON.parse(answer.body.toString());
  } catch {
    throw new DownstreamError({ service, reason: 'protocol', status: expected, message: 'the body is not JSON' });
  }
  const parsed = endpoint.response.safeParse(json);
  if (parsed.success) return parsed.data;
  const message = describeFault('response', parsed.error);
  throw new DownstreamError({ service, reason: 'protocol', status: expected, message });
}

const INSUFFICIENT_STORAGE = 507;
/** The code of a 503 whose store is locked for a moment: the server itself is well. */
const STORAGE_BUSY = 'storage_busy';

/** An answer that is not the hoped-for one: a full disk (507) is for the caller to hear, as a 4xx is. */
export function refusalOf(
  service: ClientName,
  { status, headers, body }: WireAnswer,
  surprise: string,
): DownstreamError {
  const details = { service, status, retryAfterMs: retryAfter(headers['retry-after']) };
  if (status === 429) {
    return new DownstreamError({ ...details, reason: 'saturated', message: 'the service asks for fewer calls (429)' });
  }
  const problem = problemOf(body);
  if (status === 503 && problem?.code === STORAGE_BUSY) {
    return new DownstreamError({ ...details, reason: 'saturated', message: problem.detail });
  }
  if (status === 504 && problem?.code === 'deadline') {
    return new DownstreamError({ ...details, reason: 'deadline', message: problem.detail });
  }
  const doNotRetry = headers[HEADER.doNotRetry] !== undefined;
  if (status >= 500 && status !== INSUFFICIENT_STORAGE) {
    return new DownstreamError({ ...details, reason: 'fault', message: `server error ${status}`, doNotRetry });
  }
  if (status >= 400) {
    return new DownstreamError({
      ...details,
      reason: 'rejected',
      message: problem?.detail ?? `status ${status}`,
      problem,
    });
  }
  return new DownstreamError({ ...details, reason: 'protocol', message: surprise });
}

function problemOf(body: Buffer): { code: string; detail: string } | undefined {
  try {
    const { code, detail } = JSON.parse(body.toString()) as { code?: unknown; detail?: unknown };
    if (typeof code === 'string' && typeof detail === 'string') return { code, detail };
  } catch {
    // A refusal without an account of itself is a refusal all the same.
  }
  return undefined;
}

/** `Retry-After` in milliseconds: seconds, or a date. */
export function retryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}
