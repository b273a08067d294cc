import type { DownstreamError } from '../policy/downstream-error.js';

/**
 * What a model's endpoint refuses: our `configuration` of it, which concerns every caller; a `prompt_too_long` for its
 * context; or a prompt that its `content_filter` objects to.
 */
export type RefusalKind = 'configuration' | 'prompt_too_long' | 'content_filter';

/** Wrong key, unpaid, not allowed, unknown model or path, refused field. */
const OF_CONFIGURATION: ReadonlySet<number> = new Set([401, 402, 403, 404, 405, 422]);
const SPENT_QUOTA = 'insufficient_quota';
/** The same in words, from proxies that replace the code. With a time to wait they describe a rate limit (Gemini). */
const SPENT =
  /exceeded your (current )?quota|insufficient.{0,5}(quota|balance|credits|funds)|(billing|spending).{0,20}limit/i;
/** Some providers answer 400 to a wrong key (Gemini, xAI), a spent balance (Anthropic) or an unknown model (Mistral). */
const BAD_CONFIGURATION = new RegExp(
  [
    /(unsupported|unknown|unrecognized|invalid|unexpected|extra).{0,40}(parameter|argument|field|key|inputs?\b)/,
    /api.?key|credit balance|insufficient.{0,5}(balance|credits|funds)|billing/,
    /(invalid|unknown|no such) model|model.{0,120}(not exist|not found|not available|not supported|not a valid)|not a valid model|no models? loaded/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'i',
);
/** Fields that are sent only where a client of ours asks for them: their refusal concerns this client alone. */
const OF_CLIENT =
  /(?<![a-z_])(stop|response_format|presence_penalty|frequency_penalty|verbosity|top_p|seed)(?![a-z_])|json_?schema/i;

const TOO_LONG = new RegExp(
  [
    /context_length_exceeded|exceed_context_size|string_above_max_length|tokens_limit_reached/,
    /context.{0,20}(length|size|window|limit)|(maximum|max|range of) (context|prompt|input)|model token limit/,
    /too many tokens|(prompt|inputs?|request|messages?|token count).{0,60}(too long|too large|exceed)|reduce the (length|size)/,
    /`inputs`.{0,60}(must be|must have)/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'i',
);
const FILTERED =
  /content.?filter|content.?policy|content management policy|responsible.?ai|moderation|flagged|usage polic|inappropriate content|data_?inspection|content exists risk|guardrail/i;

/** undefined for an error of another kind, which says nothing of this. */
export function refusalKind(error: DownstreamError): RefusalKind | undefined {
  const { reason, status, message, problem, retryAfterMs } = error;
  if (problem?.code === SPENT_QUOTA) return 'configuration';
  if (reason === 'saturated' && retryAfterMs === undefined && SPENT.test(problem?.detail ?? '')) return 'configuration';
  if (reason !== 'rejected' || status === undefined) return undefined;
  const text = `${problem?.code ?? ''} ${message}`;
  if (status === 413 || isTooLong(text)) return 'prompt_too_long';
  if (status !== 401 && FILTERED.test(text)) return 'content_filter';
  if ((status === 400 || status === 422) && OF_CLIENT.test(message)) return undefined;
  return OF_CONFIGURATION.has(status) || (status === 400 && BAD_CONFIGURATION.test(text)) ? 'configuration' : undefined;
}

/** Whether an endpoint says that a prompt does not fit into its context. There is no common code for this. */
export function isTooLong(text: string): boolean {
  return TOO_LONG.test(text);
}
