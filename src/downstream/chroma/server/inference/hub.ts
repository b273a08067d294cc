import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';

/** A model on a hub with the API of Hugging Face. */
export interface HubModel {
  /** For instance `https://huggingface.co`. */
  hubUrl: string;
  /** `owner/name`. */
  model: string;
  /** The folder for models, each in a folder of its own. */
  dir: string;
  signal: AbortSignal;
}

/** The files that are read of a model's folder, except the ONNX file, of which the first existing one is taken. */
const SMALL_FILES = [
  'tokenizer.json',
  'config.json',
  'sentence_bert_config.json',
  'config_sentence_transformers.json',
  '1_Pooling/config.json',
];
const MODEL_FILES = ['onnx/model_quantized.onnx', 'onnx/model_int8.onnx', 'onnx/model.onnx', 'model.onnx'];
/** A connection without data for this long is closed; the received part is kept. */
const STALL_MS = 30_000;

const modelSchema = z.object({ sha: z.string().regex(/^[0-9a-f]{7,64}$/) });
const treeSchema = z.array(
  z.object({
    path: z.string(),
    size: z.int().min(0),
    /** Git's hash of the file. */
    oid: z.string(),
    /** For a large file, whose `oid` is that of a pointer file. */
    lfs: z.object({ oid: z.string(), size: z.int().min(0) }).optional(),
  }),
);
type HubFile = z.output<typeof treeSchema>[number];

/**
 * Downloads a model unless it exists, and returns its folder. A partial download is continued; a file is complete when
 * its checksum equals that in the hub's list.
 * @throws Error
 */
export async function fetchModel(from: HubModel): Promise<string> {
  const folder = join(from.dir, from.model.replaceAll('/', '--'));
  if (existsSync(folder)) return folder;
  const partial = `${folder}.partial`;
  const { sha } = modelSchema.parse(await getJson(from, `api/models/${from.model}`));
  // All files are those of one commit, even if another one is published meanwhile.
  const tree = treeSchema.parse(await getJson(from, `api/models/${from.model}/tree/${sha}?recursive=true`));
  for (const file of wanted(tree, from.model)) await fetchFile(from, sha, file, join(partial, file.path));
  await rename(partial, folder);
  return folder;
}

function wanted(tree: readonly HubFile[], model: string): HubFile[] {
  const fileOf = (path: string) => tree.find((file) => file.path === path);
  const onnx = MODEL_FILES.map(fileOf).find((file) => file !== undefined);
  if (onnx === undefined || fileOf('tokenizer.json') === undefined) {
    throw new Error(`${model} has no ONNX file with a tokenizer.json on the hub`);
  }
  return [...SMALL_FILES.flatMap((path) => fileOf(path) ?? []), onnx];
}

async function fetchFile(from: HubModel, sha: string, file: HubFile, target: string): Promise<void> {
  const { path } = file;
  const { size } = file.lfs ?? file;
  await mkdir(dirname(target), { recursive: true });
  const had = await sizeOf(target);
  if (had < size) {
    const range: Record<string, string> = had > 0 ? { range: `bytes=${had}-` } : {};
    const { response, stalled } = await get(from, `${from.model}/resolve/${sha}/${path}`, range);
    // 200: the hub does not support ranges, and sends the whole file.
    const flags = response.status === 206 ? 'a' : 'w';
    await pipeline(watched(response, stalled), createWriteStream(target, { flags }), { signal: from.signal });
  }
  if (await isRight(file, target)) return;
  await rm(target);
  throw new Error(`${path} of ${from.model} has another checksum than the hub says; it is fetched anew`);
}

/** For a large file SHA-256, for a small one git's hash: SHA-1 with a header. */
async function isRight(file: HubFile, target: string): Promise<boolean> {
  const hash = file.lfs === undefined ? createHash('sha1').update(`blob ${file.size}\0`) : createHash('sha256');
  for await (const chunk of createReadStream(target)) hash.update(chunk as Buffer);
  return hash.digest('hex') === (file.lfs?.oid ?? file.oid);
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

async function getJson(from: HubModel, path: string): Promise<unknown> {
  const { response, stalled } = await get(from, path, {});
  const chunks: Uint8Array[] = [];
  for await (const chunk of watched(response, stalled)) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString());
}

/** The timer for `stalled` restarts with each received piece. */
async function get(
  { hubUrl, signal }: HubModel,
  path: string,
  headers: Record<string, string>,
): Promise<{ response: Response; stalled: NodeJS.Timeout }> {
  const url = `${hubUrl.replace(/(?<!\/)\/+$/, '')}/${path}`;
  const stall = new AbortController();
  const stalled = setTimeout(() => stall.abort(new Error(`${url}: nothing came for ${STALL_MS} ms`)), STALL_MS);
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.any([signal, stall.signal]) });
    if (!response.ok) throw new Error(`${url} answers ${response.status}`);
    return { response, stalled };
  } catch (error) {
    clearTimeout(stalled);
    throw error;
  }
}

async function* watched({ body }: Response, stalled: NodeJS.Timeout): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body === null ? [] : Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0])) {
      stalled.refresh();
      yield chunk as Uint8Array;
    }
  } finally {
    clearTimeout(stalled);
  }
}
