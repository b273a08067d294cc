import type { ClientName } from '../../config/config.schema.js';
import { isModel } from '../../config/llm-models.js';
import { type Endpoint, HEADER } from '../../contract/endpoint.js';
import { DownstreamError } from '../policy/downstream-error.js';
import { isTooLong } from '../report/model-refusal.js';
import { explanationIn } from './explanation.js';
import type { WireAnswer } from './http-transport.js';
import { waitIn, waitOf } from './retry-after.js';
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
  const problem = explanationIn(body);
  const isLimited = isModel(service) && status === 429;
  const details = {
    service,
    status,
    retryAfterMs: waitOf(headers) ?? (isLimited ? waitIn(body.toString()) : undefined),
  };
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
