import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';

/**
 * How the vectors of a text's tokens are combined: the vector of the first token, the mean, or the maximum of each
 * dimension.
 */
export type Pooling = 'first' | 'mean' | 'max';

/** An ONNX model and its tokenizer in a folder with the layout of Hugging Face. */
export interface ModelFolder {
  name: string;
  /** The ONNX file. */
  model: string;
  /** The size of the ONNX file, which distinguishes one version of a model from another. */
  modelBytes: number;
  tokenizer: string;
  maxTokens: number;
  /** Undefined where the folder does not state it. */
  pooling: Pooling | undefined;
  /** The prefixes of a question and of a passage, where the folder states them. */
  prompts: { query?: string | undefined; passage?: string | undefined };
}

/** The smaller and faster file first. */
const MODEL_FILES = [
  'model_quantized.onnx',
  'model.onnx',
  'onnx/model_quantized.onnx',
  'onnx/model_int8.onnx',
  'onnx/model.onnx',
];
/** A passage has about 350 tokens. Time grows faster than length. */
const MAX_TOKENS = 512;

const configSchema = z.looseObject({
  _name_or_path: z.string().optional(),
  model_type: z.string().optional(),
  max_position_embeddings: z.int().positive().optional(),
});
const sentenceSchema = z.looseObject({ max_seq_length: z.int().positive().nullish() });
const poolingSchema = z.looseObject({
  pooling_mode_cls_token: z.boolean().default(false),
  pooling_mode_max_tokens: z.boolean().default(false),
});
const promptsSchema = z.looseObject({ prompts: z.record(z.string(), z.string()).default({}) });

/** @throws Error with the file that is missing or cannot be read */
export function readModelFolder(dir: string): ModelFolder {
  const folder = resolve(dir);
  if (!existsSync(folder)) throw new Error(`${folder} does not exist`);
  const model = join(folder, modelFileIn(folder));
  const tokenizer = join(folder, 'tokenizer.json');
  if (!existsSync(tokenizer)) throw new Error(`${folder} has no tokenizer.json`);
  const config = read(join(folder, 'config.json'), configSchema);
  const { max_seq_length } = read(join(folder, 'sentence_bert_config.json'), sentenceSchema) ?? {};
  const prompts = read(join(folder, 'config_sentence_transformers.json'), promptsSchema)?.prompts ?? {};
  return {
    name: nameOf(folder, config?._name_or_path),
    model,
    modelBytes: statSync(model).size,
    tokenizer,
    maxTokens: Math.min(MAX_TOKENS, max_seq_length ?? MAX_TOKENS, positionsOf(config)),
    pooling: poolingOf(read(join(folder, '1_Pooling/config.json'), poolingSchema)),
    prompts: { query: prompts['query'], passage: prompts['passage'] ?? prompts['document'] },
  };
}

function modelFileIn(folder: string): string {
  const usual = MODEL_FILES.find((file) => existsSync(join(folder, file)));
  const [only, ...others] = readdirSync(folder).filter((file) => file.endsWith('.onnx'));
  if (usual !== undefined) return usual;
  if (only === undefined) throw new Error(`${folder} has no model.onnx and no onnx/model.onnx`);
  if (others.length > 0) throw new Error(`${folder} has several models: ${[only, ...others].join(', ')}`);
  return only;
}

/** A path on the machine that exported the model is not a useful name. A downloaded folder is called `owner--name`. */
function nameOf(folder: string, name: string | undefined): string {
  if (name !== undefined && /^[\w.-]+(\/[\w.-]+)?$/.test(name)) return basename(name);
  return basename(folder).replace(/^.*--/, '');
}

/** RoBERTa counts positions from 2. */
function positionsOf(config: z.output<typeof configSchema> | undefined): number {
  const positions = config?.max_position_embeddings ?? MAX_TOKENS;
  return /roberta/.test(config?.model_type ?? '') ? positions - 2 : positions;
}

function poolingOf(config: z.output<typeof poolingSchema> | undefined): Pooling | undefined {
  if (config === undefined) return undefined;
  if (config.pooling_mode_cls_token) return 'first';
  return config.pooling_mode_max_tokens ? 'max' : 'mean';
}

function read<T extends z.ZodType>(file: string, schema: T): z.output<T> | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new Error(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
