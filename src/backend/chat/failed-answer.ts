import type { Sampling } from '../../downstream/llm/model-dialect.js';
import { Problem, type ProblemDetails } from '../../http/problem.js';
import type { DownstreamError } from '../../resilience/policy/downstream-error.js';
import { refusalKind } from '../../resilience/report/model-refusal.js';

const RETRY_AFTER_S = 5;

/**
 * The problem for a request that only a model can answer; undefined where a quotation is an answer.
 * @param error why the last model failed
 * @param restS in how many seconds a model can be asked again, where all of them asked for a rest
 */
export function failureFor(
  sampling: Sampling,
  error: DownstreamError | undefined,
  restS: number | undefined,
): ProblemDetails | undefined {
  const { code, detail = '' } = error?.problem ?? {};
  // Only a refusal that names a parameter of the client; an endpoint may refuse one of ours with the same code.
  const path = detail.slice(0, detail.indexOf(':'));
  if (code === 'unsupported_parameter' && path in sampling) {
    return { status: 400, code, detail, errors: [{ path, detail }] };
  }
  if (!isForJson(sampling)) return undefined;
  const isTemporary = error === undefined || refusalKind(error) === undefined;
  return {
    status: 503,
    code: 'model_unavailable',
    detail: 'response_format: no language model answered, and a quotation from the documents is not JSON',
    ...(isTemporary ? { retryAfter: restS ?? RETRY_AFTER_S } : {}),
  };
}

/** @throws Problem 400 for a request that only a model can answer, because none is configured */
export function refuseWithoutModel(sampling: Sampling): void {
  if (!isForJson(sampling)) return;
  const detail = 'response_format: JSON is written by a language model only, and none is configured here';
  const errors = [{ path: 'response_format', detail }];
  throw new Problem({ status: 400, code: 'unsupported_parameter', detail, errors });
}

function isForJson({ response_format: format }: Sampling): boolean {
  return format !== undefined && (format as { type?: unknown }).type !== 'text';
}
