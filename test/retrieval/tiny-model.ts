// Models with a vocabulary of a few words in the ONNX format; the test that uses them defines their content.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const INT64 = 7;
const FLOAT = 1;

/** A message of protobuf: the number of each field and its value. Texts and bytes have a length, integers are varints. */
type Field = readonly [number: number, value: number | string | Uint8Array];

function message(...fields: Field[]): Uint8Array {
  return Buffer.concat(
    fields.flatMap(([number, value]) => {
      if (typeof value === 'number') return [varint(number << 3), varint(value)];
      const bytes = Buffer.from(value);
      return [varint((number << 3) | 2), varint(bytes.length), bytes];
    }),
  );
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 128);
  }
}

/** The fields' numbers are those of onnx.proto. */
function modelOf(nodes: Uint8Array[], table: readonly (readonly number[])[], output: string, rank: number): Uint8Array {
  const width = table[0]?.length ?? 0;
  const values = Float32Array.from(table.flat());
  const initializer = message(
    [1, table.length],
    [1, width],
    [2, FLOAT],
    [8, 'table'],
    [9, new Uint8Array(values.buffer)],
  );
  const graph = message(
    ...nodes.map((node): Field => [1, node]),
    [2, 'tiny'],
    [5, initializer],
    [11, tensor('input_ids', INT64, 2)],
    [12, tensor(output, FLOAT, rank)],
  );
  return message([1, 8], [7, graph], [8, message([1, ''], [2, 11])]);
}

function tensor(name: string, type: number, rank: number): Uint8Array {
  const shape = message(...Array.from({ length: rank }, (_, i): Field => [1, message([2, `${name}-${i}`])]));
  return message([1, name], [2, message([1, message([1, type], [2, shape])])]);
}

function node(operator: string, inputs: string[], output: string, attributes: Uint8Array[] = []): Uint8Array {
  return message(
    ...inputs.map((input): Field => [1, input]),
    [2, output],
    [4, operator],
    ...attributes.map((attribute): Field => [5, attribute]),
  );
}

/** A model that maps each word to a vector. */
export function embeddingModel(vectors: Record<string, readonly number[]>): { model: Uint8Array; tokenizer: string } {
  const table = tableOf(vectors);
  const model = modelOf([node('Gather', ['table', 'input_ids'], 'last_hidden_state')], table, 'last_hidden_state', 3);
  return { model, tokenizer: tokenizerOf(Object.keys(vectors)) };
}

/** The relevance of a passage is the sum of its words' numbers. */
export function relevanceModel(weights: Record<string, number>): { model: Uint8Array; tokenizer: string } {
  const table = tableOf(Object.fromEntries(Object.entries(weights).map(([word, weight]) => [word, [weight]])));
  const overTokens = [message([1, 'axes'], [8, 1], [20, 7]), message([1, 'keepdims'], [3, 0], [20, 2])];
  const nodes = [node('Gather', ['table', 'input_ids'], 'words'), node('ReduceSum', ['words'], 'logits', overTokens)];
  return { model: modelOf(nodes, table, 'logits', 2), tokenizer: tokenizerOf(Object.keys(weights)) };
}

function tableOf(vectors: Record<string, readonly number[]>): (readonly number[])[] {
  const known = Object.values(vectors);
  return [(known[0] ?? []).map(() => 0), ...known];
}

function tokenizerOf(words: readonly string[]): string {
  return JSON.stringify({
    version: '1.0',
    added_tokens: [],
    normalizer: { type: 'Lowercase' },
    pre_tokenizer: { type: 'Whitespace' },
    post_processor: null,
    decoder: null,
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(['[UNK]', ...words].map((word, id) => [word, id])),
    },
  });
}

export function writeModel(dir: string, { model, tokenizer }: { model: Uint8Array; tokenizer: string }): string {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'model.onnx'), model);
  writeFileSync(join(dir, 'tokenizer.json'), tokenizer);
  return dir;
}
