// Embedders that replace the built-in one in npm run eval -- --all DIR.
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EndpointModel } from '../dist/downstream/chroma/server/embedding/endpoint.model.js';
import { LocalModel } from '../dist/downstream/chroma/server/embedding/local.model.js';
import { prefixesOf } from '../dist/downstream/chroma/server/embedding/model-family.js';
import { PretrainedEmbedder } from '../dist/downstream/chroma/server/embedding/pretrained.embedder.js';
import { readModelFolder } from '../dist/downstream/chroma/server/inference/model-folder.js';
import type { Embeddable, Embedder } from '../src/downstream/chroma/server/embedding/embedder.js';
import type { TextCall, TextModel } from '../src/downstream/chroma/server/embedding/text-model.js';

/** Vectors are kept here: a model takes minutes for a collection. */
const KEPT = join(import.meta.dirname, '../reports/eval');
/** The number of dimensions of small models. */
const RANDOM_DIMENSIONS = 384;
const PATIENCE_MS = 60_000;
const MAX_FAILURES = 100;

/** `model`: a folder with an ONNX model. `embeddings`: the base URL of an endpoint with the model multilingual-e5-small. */
export function embedderOf(options: {
  random: boolean;
  model?: string | undefined;
  embeddings?: string | undefined;
}): Embedder | undefined {
  if (options.random) return random();
  if (options.model !== undefined) {
    const folder = readModelFolder(options.model);
    return patient(new KeptModel(new LocalModel(folder), folder.name), folder.name);
  }
  if (options.embeddings === undefined) return undefined;
  const model = 'multilingual-e5-small';
  return patient(new KeptModel(new EndpointModel({ url: options.embeddings, model, apiKey: undefined }), model), model);
}

/** Repeats a call that took too long; finished vectors are kept. */
function patient(model: TextModel, name: string): Embedder {
  const embedder = new PretrainedEmbedder(model, { prefixes: prefixesOf(name), queryTimeoutMs: PATIENCE_MS });
  const embed = async (passages: readonly Embeddable[], failures = 0): Promise<Float32Array[]> => {
    try {
      return await embedder.embed(passages);
    } catch (error) {
      if (failures === MAX_FAILURES) throw error;
      return embed(passages, failures + 1);
    }
  };
  return {
    embed,
    embedQuestion: (question, deadlineMs) => embedder.embedQuestion(question, deadlineMs),
    captured: () => embedder.captured(),
  };
}

/** Random vectors: they measure the harm of a useless model. */
function random(): Embedder {
  const vector = () => {
    const values = Float32Array.from(
      { length: RANDOM_DIMENSIONS },
      () => Math.random() + Math.random() + Math.random() - 1.5,
    );
    const length = Math.hypot(...values);
    return values.map((value) => value / length);
  };
  return {
    embed: (passages: readonly Embeddable[]) => Promise.resolve(passages.map(vector)),
    embedQuestion: () => Promise.resolve(vector()),
    captured: () => 1,
  };
}

class KeptModel implements TextModel {
  readonly label: string;
  private readonly model: TextModel;
  private readonly db: DatabaseSync;

  constructor(model: TextModel, name: string) {
    mkdirSync(KEPT, { recursive: true });
    this.model = model;
    this.label = model.label;
    this.db = new DatabaseSync(join(KEPT, `${name}.sqlite`), { timeout: 30_000 });
    this.db.exec('CREATE TABLE IF NOT EXISTS vectors (text TEXT PRIMARY KEY, vector BLOB) WITHOUT ROWID');
  }

  async vectors(texts: readonly string[], call: TextCall): Promise<Float32Array[]> {
    const vectors: Float32Array[] = [];
    for (const text of texts) vectors.push(await this.vector(text, call));
    return vectors;
  }

  private async vector(text: string, call: TextCall): Promise<Float32Array> {
    const key = createHash('sha256').update(text).digest('hex');
    const kept = this.db.prepare('SELECT vector FROM vectors WHERE text = ?').get(key)?.['vector'];
    if (kept instanceof Uint8Array) return new Float32Array(kept.slice().buffer);
    const [vector] = await this.model.vectors([text], call);
    if (vector === undefined) throw new Error('the model gave no vector');
    const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
    this.db.prepare('INSERT OR REPLACE INTO vectors VALUES (?, ?)').run(key, bytes);
    return vector;
  }
}
