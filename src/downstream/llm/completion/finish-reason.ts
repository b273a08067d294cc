import type { FinishReason } from './completion-event.js';

/** `error`: the answer ended before its end; `tool_calls`: the model called a tool instead of answering. */
export type EndpointReason = FinishReason | 'error' | 'tool_calls';

/** The names that endpoints use, in lower case; any other name is an ordinary end. */
const KNOWN: readonly [reason: EndpointReason, names: RegExp][] = [
  ['length', /^(length|max_tokens|max_output_tokens|model_length|error_limit|model_context_window_exceeded)$/],
  [
    'content_filter',
    /^(content_?filter(ed)?|safety|image_safety|refusal|recitation|prohibited_content|blocklist|spii|sensitive|error_toxic|guardrail_intervened)$/,
  ],
  ['tool_calls', /^(tool_calls?|function_call|tool_use)$/],
  ['error', /error|^(abort(ed)?|cancel(l?ed)?|failed|insufficient_system_resource|malformed_function_call)$/],
];

/**
 * Why an answer ended, by the name that an endpoint gives it; undefined while it goes on. Some endpoints send an empty
 * name or the word "null" with each event.
 */
export function finishReasonOf(name: string | null | undefined): EndpointReason | undefined {
  const folded = name?.toLowerCase().replaceAll('-', '_') ?? '';
  if (folded === '' || folded === 'null' || folded === 'none') return undefined;
  return KNOWN.find(([, names]) => names.test(folded))?.[0] ?? 'stop';
}
