import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { ChromaClient } from 'chromadb';
import { SAMPLE_SERVICE_TOKEN } from '../dist/config/config.loader.js';
import type { Caudex } from '../test/system/caudex.ts';
import { inParallel } from './api.ts';

const CHROMA = join(import.meta.dirname, '../node_modules/chromadb/dist/cli.mjs');
const PORT = 17_953;
const BATCH = 1000;
/** Less than the server's queue for one user. */
const AT_ONCE = 48;

/** Passages per second that the chroma server indexes, and the vectors that it made of them. */
export async function indexThroughServer(system: Caudex, texts: readonly string[], passages: number) {
  const startedAt = performance.now();
  let done = 0;
  await inParallel(texts, AT_ONCE, async (text, index) => {
    if (done >= passages) return;
    const body = {
      project_id: 'rate',
      path: `${index}.md`,
      version: 'v1',
      title: '',
      media_type: 'text/markdown',
      text,
    };
    const response = await fetch(`${system.urlOf('chroma')}/documents`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-internal-token': SAMPLE_SERVICE_TOKEN, 'x-user-id': 'bench' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`the chroma server answered ${response.status}: ${await response.text()}`);
    done += ((await response.json()) as { passages: number }).passages;
  });
  const perSecond = done / ((performance.now() - startedAt) / 1000);
  return { passages: done, perSecond, vectors: vectorsOf(join(system.dataDir, 'chroma', 'index.sqlite')) };
}

/** Writes the same vectors to a ChromaDB without other work, by its own client, in large batches. */
export async function indexInChromadbAlone(vectors: readonly number[][]): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), 'caudex-chromadb-'));
  const child = fork(CHROMA, ['run', '--path', dir, '--port', String(PORT), '--host', '127.0.0.1'], {
    stdio: 'ignore',
  });
  try {
    const client = new ChromaClient({ host: '127.0.0.1', port: PORT, ssl: false });
    await answering(client, child);
    const collection = await client.createCollection({ name: 'alone', embeddingFunction: null });
    const startedAt = performance.now();
    for (let at = 0; at < vectors.length; at += BATCH) {
      const embeddings = vectors.slice(at, at + BATCH);
      await collection.upsert({ ids: embeddings.map((_, i) => String(at + i)), embeddings });
    }
    return vectors.length / ((performance.now() - startedAt) / 1000);
  } finally {
    child.kill('SIGKILL');
    await wait(200);
    rmSync(dir, { recursive: true, force: true });
  }
}

function vectorsOf(file: string): number[][] {
  const db = new DatabaseSync(file, { readOnly: true });
  const rows = db.prepare('SELECT vector FROM vectors WHERE vector IS NOT NULL').all();
  db.close();
  return rows.map((row) => Array.from(new Float32Array(new Uint8Array(row['vector'] as Uint8Array).buffer)));
}

async function answering(client: ChromaClient, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 200 && child.exitCode === null; tries++) {
    if (
      await client.heartbeat().then(
        () => true,
        () => false,
      )
    )
      return;
    await wait(50);
  }
  throw new Error(`ChromaDB does not answer on port ${PORT}`);
}
