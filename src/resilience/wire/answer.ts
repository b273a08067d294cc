import type { ClientName } from '../../config/config.schema.js';
import { isModel } from '../../config/llm-models.js';
import { type Endpoint, HEADER } from '../../contract/endpoint.js';
import { DownstreamError } from '../policy/downstream-error.js';
import { isTooLong } from '../report/model-refusal.js';
import { explanationIn } from './explanation.js';
import type { WireAnswer } from './http-transport.js';
import { describeFault } from './wire-request.js';

/** Parses an answer by its contract. @throws DownstreamError for an answer that breaks the contract */
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
/** The code of a 503 for a store that is locked for a moment; the server works. */
const STORAGE_BUSY = 'storage_busy';

/** The error for an answer that is not a success. A full disk (507) is passed to the caller like a 4xx. */
export function refusalOf(
  service: ClientName,
  { status, headers, body }: WireAnswer,
  surprise: string,
): DownstreamError {
  const details = { service, status, retryAfterMs: waitOf(headers) };
  const problem = explanationIn(body);
  if (status === 429) {
    return new DownstreamError({
      ...details,
      reason: 'saturated',
      message: 'the service asks for fewer calls (429)',
      problem,
    });
  }
  if (status === 503 && problem?.code === STORAGE_BUSY) {
    return new DownstreamError({ ...details, reason: 'saturated', message: problem.detail });
  }
  if (status === 504 && problem?.code === 'deadline') {
    return new DownstreamError({ ...details, reason: 'deadline', message: problem.detail });
  }
  const doNotRetry = headers[HEADER.doNotRetry] !== undefined;
  // Some model servers answer 500 to a prompt that is too long, which is the fault of one caller.
  const isOfCaller = isModel(service) && problem !== undefined && isTooLong(problem.detail);
  if (status >= 500 && status !== INSUFFICIENT_STORAGE && !isOfCaller) {
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

const WAITS = ['x-ratelimit-reset-requests', 'x-ratelimit-reset-tokens', 'x-ratelimit-reset'];

/** How many milliseconds the service asks to wait, by any of the headers in use. */
export function waitOf(headers: Readonly<Record<string, string | undefined>>): number | undefined {
  const exact = Number(headers['retry-after-ms'] ?? Number.NaN);
  if (exact >= 0) return exact;
  const standard = retryAfter(headers['retry-after']);
  if (standard !== undefined) return standard;
  const resets = WAITS.map((name) => durationMs(headers[name])).filter((wait) => wait !== undefined);
  return resets.length === 0 ? undefined : Math.max(...resets);
}

/** `1m30.5s`, `250ms`, or seconds; a number that can only be a time (since 1970) counts as one. */
function durationMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) {
    const number = Number(text);
    if (number > 1e12) return Math.max(0, number - Date.now());
    return number > 1e9 ? Math.max(0, number * 1000 - Date.now()) : number * 1000;
  }
  const parts = [...text.slice(0, 64).matchAll(/(?<![\d.])(\d{1,12}(?:\.\d{1,9})?)(ms|h|m|s)/g)];
  if (parts.length === 0) return undefined;
  const unit: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  return parts.reduce((sum, [, number, name]) => sum + Number(number) * (unit[name as string] as number), 0);
}

/** `Retry-After` in milliseconds: seconds, or a date. */
export function retryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}
