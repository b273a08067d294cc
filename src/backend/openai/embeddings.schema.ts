import { z } from 'zod';
import { unsupported } from './model-name.js';

/** OpenAI's limit. */
const MAX_INPUTS = 2048;
/** More than any embedder reads of one text. */
const MAX_CHARS = 100_000;
const text = z.string().min(1, 'an empty text has no vector').max(MAX_CHARS);
const tokens = z.array(z.int().min(0)).min(1).max(MAX_CHARS);

export const embeddingsRequestSchema = z.looseObject({
  model: z.string().min(1).max(200),
  /** Tokens are counted with `cl100k_base`, which clients of the OpenAI API use. */
  input: z.union([text, z.array(text).min(1).max(MAX_INPUTS), tokens, z.array(tokens).min(1).max(MAX_INPUTS)], {
    error: 'a text, an array of texts, an array of tokens, or an array of such arrays is needed; none may be empty',
  }),
  encoding_format: z.enum(['float', 'base64']).nullish(),
  dimensions: z.int().min(1).nullish(),
  user: z.string().max(512).nullish(),
});
export type EmbeddingsRequest = z.output<typeof embeddingsRequestSchema>;

export const embeddingsSchema = z.object({
  object: z.literal('list'),
  data: z.array(
    z.object({
      object: z.literal('embedding'),
      index: z.int(),
      /** With `base64`: 32-bit floats, little-endian. */
      embedding: z.union([z.array(z.number()), z.string()]),
    }),
  ),
  /** The embedder that made the vectors. Vectors of different embedders cannot be compared. */
  model: z.string(),
  usage: z.object({ prompt_tokens: z.int(), total_tokens: z.int() }),
  /**
   * Fields that Caudex adds. `pretrained: false`: no embedder is configured, and the vectors compare words, not
   * meaning.
   */
  caudex: z.object({ pretrained: z.boolean(), dimensions: z.int() }),
});

/** The texts of a request. @throws Problem 400 for tokens in another encoding */
export async function textsOf({ input }: EmbeddingsRequest): Promise<string[]> {
  if (typeof input === 'string') return [input];
  if (input.every((one) => typeof one === 'string')) return input;
  const { decode } = await import('gpt-tokenizer/encoding/cl100k_base');
  const lists = input.every((one) => typeof one === 'number') ? [input] : input;
  try {
    return lists.map((list) => decode(list));
  } catch {
    throw unsupported('input', 'input: these are no tokens of cl100k_base; send the text itself');
  }
}

export function encoded(vector: readonly number[], format: EmbeddingsRequest['encoding_format']): number[] | string {
  if (format !== 'base64') return [...vector];
  const bytes = Buffer.alloc(4 * vector.length);
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, 4 * index);
  return bytes.toString('base64');
}
