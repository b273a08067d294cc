/** Counts the tokens of texts for one model. */
export interface TokenCounter {
  count(text: string): number;
  /** The beginning of a text with at most this many tokens, cut between words. */
  cut(text: string, tokens: number): string;
}

interface Tokenizer {
  encode(text: string): number[];
  decode(tokens: Iterable<number>): string;
}

/** Longer texts are estimated: counting takes milliseconds, and no limit needs that precision. */
const MAX_EXACT_CHARS = 100_000;
/** Latin letters per token, according to the OpenAI documentation. */
const CHARS_PER_TOKEN = 4;
const DENSE = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Thai}]/gu;
const NOT_ASCII = /[^\x00-\x7f]/g;

/**
 * An estimate for an unknown tokenizer: four ASCII characters per token, two of other alphabets, one of a script that
 * writes a syllable or word as one character. Never used for charges.
 */
export function estimateTokens(text: string): number {
  const dense = text.match(DENSE)?.length ?? 0;
  const others = (text.match(NOT_ASCII)?.length ?? 0) - dense;
  return Math.ceil((text.length - dense - others) / CHARS_PER_TOKEN + others / 2 + dense);
}

export const estimating: TokenCounter = {
  count: estimateTokens,
  cut(text, tokens) {
    if (estimateTokens(text) <= tokens) return text;
    const perChar = estimateTokens(text) / text.length;
    return atWord(text.slice(0, Math.max(1, Math.floor(tokens / perChar) - 2)));
  },
};

class ExactCounter implements TokenCounter {
  constructor(private readonly tokenizer: Tokenizer) {}

  count(text: string): number {
    return text.length > MAX_EXACT_CHARS ? estimateTokens(text) : this.tokenizer.encode(text).length;
  }

  cut(text: string, tokens: number): string {
    if (text.length > MAX_EXACT_CHARS) return estimating.cut(text, tokens);
    const encoded = this.tokenizer.encode(text);
    if (encoded.length <= tokens) return text;
    return atWord(this.tokenizer.decode(encoded.slice(0, Math.max(1, tokens - 1))));
  }
}

const counters = new Map<string, Promise<TokenCounter>>();

/** The counter for a model: exact for OpenAI's models, whose encodings are public, an estimate for all others. */
export function counterFor(model: string | undefined): Promise<TokenCounter> {
  const encoding = encodingOf(model ?? '');
  if (encoding === undefined) return Promise.resolve(estimating);
  const known = counters.get(encoding);
  if (known !== undefined) return known;
  const loading = load(encoding).catch(() => estimating);
  counters.set(encoding, loading);
  return loading;
}

type Encoding = 'o200k_base' | 'cl100k_base';

function encodingOf(model: string): Encoding | undefined {
  const name = model.toLowerCase().replace(/^.*\//, '');
  if (/^(gpt-4o|gpt-4\.[15]|gpt-5|chatgpt-4o|o[134](-|$)|gpt-oss)/.test(name)) return 'o200k_base';
  if (/^(gpt-4|gpt-3\.5|text-embedding-3)/.test(name)) return 'cl100k_base';
  return undefined;
}

async function load(encoding: Encoding): Promise<TokenCounter> {
  const { encode, decode } =
    encoding === 'o200k_base'
      ? await import('gpt-tokenizer/encoding/o200k_base')
      : await import('gpt-tokenizer/encoding/cl100k_base');
  // The text of a special token in a document is encoded as plain text.
  return new ExactCounter({ encode: (text) => encode(text, { disallowedSpecial: new Set() }), decode });
}

function atWord(text: string): string {
  return `${text.replace(/\s\S{0,40}$/, '').trimEnd()} …`.toWellFormed();
}
