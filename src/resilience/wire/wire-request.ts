import type { ZodError, ZodType } from 'zod';
import type { ClientName } from '../../config/config.schema.js';
import type { Endpoint } from '../../contract/endpoint.js';
import { DownstreamError } from '../policy/downstream-error.js';

/** The part of a request that the contract decides. */
export interface ComposedRequest {
  /** Without the query. */
  path: string;
  query: string;
  body: string | undefined;
}

/** Path templates split into constant parts and parameters. */
const templates = new Map<string, readonly string[]>();

/**
 * Checks the input against the contract, and serialises it.
 * @throws DownstreamError `rejected` with status 400: the server would refuse by the same contract
 */
export function compose(
  service: ClientName,
  endpoint: Endpoint,
  input: { params?: unknown; query?: unknown; body?: unknown },
): ComposedRequest {
  const params = check(service, 'params', endpoint.params, input.params) as Record<string, string> | undefined;
  const query = check(service, 'query', endpoint.query, input.query) as Record<string, unknown> | undefined;
  const body = check(service, 'body', endpoint.body, input.body);
  return {
    path: params === undefined ? endpoint.path : fill(endpoint.path, params),
    query: query === undefined ? '' : queryString(query),
    body: body === undefined ? undefined : JSON.stringify(body),
  };
}

function check(service: ClientName, place: string, schema: ZodType | undefined, value: unknown): unknown {
  if (schema === undefined) return undefined;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const detail = describeFault(place, parsed.error);
  const problem = { code: 'invalid_request', detail };
  throw new DownstreamError({ service, reason: 'rejected', status: 400, message: detail, problem });
}

/** The first fault, for instance `body.limit: Too small`. */
export function describeFault(place: string, { issues }: ZodError): string {
  const [issue] = issues;
  return `${[place, ...(issue?.path ?? [])].join('.')}: ${issue?.message}`;
}

function fill(path: string, params: Record<string, string>): string {
  let parts = templates.get(path);
  if (parts === undefined) templates.set(path, (parts = path.split(/:(\w+)/)));
  return parts.map((part, i) => (i % 2 === 0 ? part : encodeURIComponent(params[part] ?? ''))).join('');
}

function queryString(query: Record<string, unknown>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query) as [string, string | number | boolean | undefined][]) {
    if (value !== undefined) search.append(name, String(value));
  }
  return search.size === 0 ? '' : `?${search.toString()}`;
}
