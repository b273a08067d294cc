const RESETS = ['x-ratelimit-reset-requests', 'x-ratelimit-reset-tokens', 'x-ratelimit-reset'];

/** How many milliseconds the service asks to wait, by any of the headers in use. */
export function waitOf(headers: Readonly<Record<string, string | undefined>>): number | undefined {
  const exact = Number(headers['retry-after-ms'] ?? Number.NaN);
  if (exact >= 0) return exact;
  const standard = retryAfter(headers['retry-after']);
  if (standard !== undefined) return standard;
  const resets = RESETS.map((name) => durationMs(headers[name])).filter((wait) => wait !== undefined);
  return resets.length === 0 ? undefined : Math.max(...resets);
}

/** The sentence or the field in which a model's endpoint says when to come back, where it sends no header. */
const TOLD = /(?:try again|retry) (?:in|after) (?:about )?|"retryDelay":\s{0,9}"/i;
const MAX_TOLD_CHARS = 8192;

/** How many milliseconds the body of a refusal asks to wait (OpenAI, Groq, Gemini, LiteLLM). */
export function waitIn(body: string): number | undefined {
  const text = body.slice(0, MAX_TOLD_CHARS);
  const told = TOLD.exec(text);
  if (told === null) return undefined;
  const time = /^(?:\d[\d.]{0,12} {0,2}[a-z]{1,12} {0,2}){1,4}/i.exec(text.slice(told.index + told[0].length));
  return time === null ? undefined : durationMs(time[0]);
}

/** `1m30.5s`, `250ms`, `5 seconds`, or seconds; a number that can only be a time (since 1970) counts as one. */
function durationMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) {
    const number = Number(text);
    if (number > 1e12) return Math.max(0, number - Date.now());
    return number > 1e9 ? Math.max(0, number * 1000 - Date.now()) : number * 1000;
  }
  const parts = [...text.slice(0, 64).matchAll(/(?<![\d.])(\d{1,12}(?:\.\d{1,9})?) ?(ms|millisecond|h|m|s)/g)];
  if (parts.length === 0) return undefined;
  const unit: Record<string, number> = { ms: 1, millisecond: 1, s: 1000, m: 60_000, h: 3_600_000 };
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
