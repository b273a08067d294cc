import { ChromaClient } from 'chromadb';

/** As many as the vectors of a project that has no embedder of its own. */
const DIMENSIONS = 256;
/** Of one request. */
const VECTORS = 200;

/** The ChromaDB that the chroma server starts. */
interface ChromadbProcess {
  readonly url: string | undefined;
  start(): Promise<void>;
  stop(): void;
}
type ChromadbProcessClass = new (dir: string, log: object, onUp: () => void) => ChromadbProcess;

/** Vectors per second of ChromaDB alone, for one client; undefined where it is not installed. */
export async function chromadbAlone(dir: string, vectors: number): Promise<number | undefined> {
  const file = '../dist/downstream/chroma/server/chromadb/chromadb.process.js';
  const { ChromadbProcess } = (await import(file)) as { ChromadbProcess: ChromadbProcessClass };
  const silent = () => undefined;
  const chromadb = new ChromadbProcess(dir, { info: silent, warn: silent, error: silent }, silent);
  try {
    await chromadb.start();
  } catch (error) {
    console.log(`  ChromaDB: ${(error as Error).message}`);
    return undefined;
  }
  try {
    return await rateOf(new URL(chromadb.url ?? ''), vectors);
  } finally {
    chromadb.stop();
  }
}

async function rateOf({ hostname, port }: URL, vectors: number): Promise<number> {
  const client = new ChromaClient({ host: hostname, port: Number(port), ssl: false });
  const collection = await client.createCollection({ name: 'alone', embeddingFunction: null });
  const embeddings = Array.from({ length: vectors }, (_, i) =>
    Array.from({ length: DIMENSIONS }, (_, k) => Math.sin(i * DIMENSIONS + k)),
  );
  const beganMs = performance.now();
  for (let at = 0; at < vectors; at += VECTORS) {
    const some = embeddings.slice(at, at + VECTORS);
    await collection.upsert({ ids: some.map((_, i) => String(at + i)), embeddings: some });
  }
  return vectors / ((performance.now() - beganMs) / 1000);
}
