import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import * as tokenizers from '@huggingface/tokenizers';
import type { InferenceSession, Tensor, TensorConstructor } from 'onnxruntime-node';
import type { Pooling } from './model-folder.js';

/** The description of a model to run, as plain data for a thread. */
export interface OnnxTask {
  model: string;
  tokenizer: string;
  maxTokens: number;
  /** `relevance`: one number for a pair of texts. */
  output: Pooling | 'relevance';
}

interface Tokenizer {
  encode(
    text: string,
    options: { text_pair: string | null; return_token_type_ids: true },
  ): { ids: number[]; token_type_ids?: number[] };
}

/** The package's own types refer to files that it does not contain. */
const { Tokenizer } = tokenizers as unknown as { Tokenizer: new (tokenizer: object, config: object) => Tokenizer };

/** Half of the cores; the others are left for requests. */
const THREADS = Math.max(1, Math.floor(availableParallelism() / 2));

/** A transformer with its tokenizer. */
export class OnnxModel {
  private constructor(
    private readonly session: InferenceSession,
    private readonly TensorOf: TensorConstructor,
    private readonly tokenizer: Tokenizer,
    private readonly task: OnnxTask,
  ) {}

  /** @throws Error where the runtime is not installed, or a file is not a model or tokenizer */
  static async load(task: OnnxTask): Promise<OnnxModel> {
    const tokenizer = new Tokenizer(JSON.parse(readFileSync(task.tokenizer, 'utf8')) as object, {});
    const runtime = await import('onnxruntime-node').catch((error: unknown) => {
      throw new Error('onnxruntime-node, an optional dependency, is not installed or has no build for this machine', {
        cause: error,
      });
    });
    const session = await runtime.InferenceSession.create(task.model, {
      intraOpNumThreads: THREADS,
      interOpNumThreads: 1,
      // Idle threads sleep instead of spinning.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    });
    return new OnnxModel(session, runtime.Tensor, tokenizer, task);
  }

  /** A vector of the text, or the number for a pair. @throws Error where the model returns something else */
  async run(text: string, pair?: string): Promise<Float32Array> {
    const outputs = await this.session.run(this.inputsOf(text, pair));
    const { output } = this.task;
    return output === 'relevance' ? relevanceIn(outputs) : pooled(outputs, output);
  }

  private inputsOf(text: string, pair: string | undefined): Record<string, Tensor> {
    const encoded = this.tokenizer.encode(text, { text_pair: pair ?? null, return_token_type_ids: true });
    const ids = shortened(encoded.ids, this.task.maxTokens);
    const given: Record<string, readonly number[]> = {
      input_ids: ids,
      attention_mask: ids.map(() => 1),
      token_type_ids: shortened(encoded.token_type_ids ?? encoded.ids.map(() => 0), this.task.maxTokens),
      position_ids: ids.map((_, i) => i),
    };
    return Object.fromEntries(this.session.inputNames.map((name) => [name, this.tensor(name, given[name])]));
  }

  private tensor(name: string, values: readonly number[] | undefined): Tensor {
    if (values === undefined) throw new Error(`the model asks for an input "${name}" that texts do not have`);
    return new this.TensorOf('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
  }
}

/** Truncated to this many tokens; the last token, which ends a text, stays. */
function shortened(tokens: readonly number[], most: number): readonly number[] {
  return tokens.length <= most ? tokens : [...tokens.slice(0, most - 1), tokens.at(-1) as number];
}

type Outputs = InferenceSession.OnnxValueMapType;

/** Some models do the pooling themselves. */
function pooled(outputs: Outputs, pooling: Pooling): Float32Array {
  const whole = outputs['sentence_embedding'];
  if (whole !== undefined) return Float32Array.from(numbersOf(whole));
  const all = Object.values(outputs);
  const byToken = all.find(({ dims }) => dims.length === 3) ?? all[0];
  const values = numbersOf(byToken);
  const width = byToken?.dims.at(-1) ?? 0;
  if (byToken?.dims.length === 2) return Float32Array.from(values.subarray(0, width));
  return pooling === 'first' ? Float32Array.from(values.subarray(0, width)) : overTokens(values, width, pooling);
}

function overTokens(values: Float32Array, width: number, pooling: 'mean' | 'max'): Float32Array {
  const vector = Float32Array.from(values.subarray(0, width));
  for (let at = width; at < values.length; at++) {
    const i = at % width;
    const value = values[at] as number;
    vector[i] = pooling === 'mean' ? (vector[i] as number) + value : Math.max(vector[i] as number, value);
  }
  return pooling === 'mean' ? vector.map((sum) => (sum * width) / values.length) : vector;
}

/** Of two classes the second one means "relevant". */
function relevanceIn(outputs: Outputs): Float32Array {
  const values = numbersOf(outputs['logits'] ?? Object.values(outputs)[0]);
  if (values.length === 2) return Float32Array.of((values[1] as number) - (values[0] as number));
  if (values.length !== 1) throw new Error(`the model gives ${values.length} numbers for a pair of texts, not 1`);
  return Float32Array.from(values);
}

function numbersOf(value: Outputs[string] | undefined): Float32Array {
  if (value?.data instanceof Float32Array) return value.data;
  throw new Error(`the model gives ${value === undefined ? 'nothing' : `${value.type} values`}, not float32`);
}
