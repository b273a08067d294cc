import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchModel } from './hub.js';

const SHA = 'a'.repeat(40);
const MODEL = Buffer.alloc(300_000, 'weights ');
const FILES: Record<string, Buffer> = {
  'onnx/model_quantized.onnx': MODEL,
  'onnx/model.onnx': Buffer.from('the same and four times as large'),
  'tokenizer.json': Buffer.from('{}'),
  'config.json': Buffer.from('{"model_type":"bert"}'),
  'README.md': Buffer.from('not needed'),
};

describe('fetchModel', () => {
  let hub: Server;
  let hubUrl: string;
  let dir: string;
  const asked: { path: string; range: string | undefined }[] = [];
  /** What the hub does with the next request for the weights. */
  let behaviour: 'well' | 'cuts' | 'without ranges' | 'corrupts' = 'well';

  beforeAll(async () => {
    hub = createServer((request, response) => {
      const path = request.url ?? '';
      const { range } = request.headers;
      asked.push({ path, range });
      if (path === '/api/models/owner/tiny') return void response.end(JSON.stringify({ sha: SHA }));
      if (path === `/api/models/owner/tiny/tree/${SHA}?recursive=true`)
        return void response.end(JSON.stringify(tree()));
      const content = FILES[path.replace(`/owner/tiny/resolve/${SHA}/`, '')];
      if (content === undefined) return void response.writeHead(404).end();
      if (content !== MODEL) return void response.end(content);
      const from = behaviour === 'without ranges' ? 0 : Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
      response.writeHead(from > 0 ? 206 : 200);
      if (behaviour === 'cuts') return void response.write(content.subarray(0, 100_000), () => response.destroy());
      response.end(behaviour === 'corrupts' ? Buffer.alloc(content.length - from) : content.subarray(from));
    }).listen(0, '127.0.0.1');
    await once(hub, 'listening');
    hubUrl = `http://127.0.0.1:${(hub.address() as AddressInfo).port}/`;
  });
  afterAll(() => hub.close());
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'caudex-hub-'));
    asked.length = 0;
    behaviour = 'well';
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  function tree(): object[] {
    return Object.entries(FILES).map(([path, content]) =>
      content === MODEL
        ? {
            path,
            size: content.length,
            oid: 'that of a pointer',
            lfs: { oid: sha('sha256', content), size: content.length },
          }
        : { path, size: content.length, oid: sha('sha1', `blob ${content.length}\0`, content) },
    );
  }

  const sha = (algorithm: string, ...parts: (string | Buffer)[]) =>
    parts.reduce((hash, part) => hash.update(part), createHash(algorithm)).digest('hex');

  const fetchIt = (model = 'owner/tiny') => fetchModel({ hubUrl, model, dir, signal: AbortSignal.timeout(10_000) });
  const askedForWeights = () => asked.filter(({ path }) => path.endsWith('.onnx'));

  it('downloads the smaller model with its tokenizer and settings, once', async () => {
    const folder = await fetchIt();
    expect(readFileSync(join(folder, 'onnx/model_quantized.onnx')).equals(MODEL)).toBe(true);
    expect(readFileSync(join(folder, 'config.json'), 'utf8')).toBe('{"model_type":"bert"}');
    expect(['onnx/model.onnx', 'README.md'].map((file) => existsSync(join(folder, file)))).toEqual([false, false]);
    asked.length = 0;
    expect(await fetchIt()).toBe(folder);
    expect(asked).toEqual([]);
  });

  it('continues where the connection was closed', async () => {
    behaviour = 'cuts';
    await expect(fetchIt()).rejects.toThrow();
    behaviour = 'well';
    const folder = await fetchIt();
    expect(readFileSync(join(folder, 'onnx/model_quantized.onnx')).equals(MODEL)).toBe(true);
    expect(askedForWeights().map(({ range }) => range)).toEqual([
      undefined,
      expect.stringMatching(/^bytes=[1-9]\d*-$/),
    ]);
    expect(asked.filter(({ path }) => path.endsWith('tokenizer.json'))).toHaveLength(1);
  });

  it('starts again where the hub does not support ranges', async () => {
    behaviour = 'cuts';
    await expect(fetchIt()).rejects.toThrow();
    behaviour = 'without ranges';
    const folder = await fetchIt();
    expect(readFileSync(join(folder, 'onnx/model_quantized.onnx')).equals(MODEL)).toBe(true);
  });

  it('deletes a file with another checksum, and downloads it again', async () => {
    behaviour = 'corrupts';
    await expect(fetchIt()).rejects.toThrow('onnx/model_quantized.onnx of owner/tiny has another checksum');
    behaviour = 'well';
    expect(existsSync(await fetchIt())).toBe(true);
    expect(askedForWeights().map(({ range }) => range)).toEqual([undefined, undefined]);
  });

  it('reports the answer of the hub for a model that does not exist', async () => {
    await expect(fetchIt('owner/none')).rejects.toThrow(`${hubUrl}api/models/owner/none answers 404`);
  });
});
