// Trains an embedder on a project's passages and embeds them, outside of the server's event loop.
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { embedLsa, encodeLsa, trainLsa } from './lsa-model.js';

export interface TrainingTask {
  file: string;
  userId: string;
  projectId: string;
}

/** The worker's messages: the model once, then the vectors of all passages, `dimensions` numbers for each id. */
export type TrainingMessage =
  { kind: 'model'; model: Uint8Array } | { kind: 'vectors'; ids: number[]; vectors: Float32Array; dimensions: number };

/** More passages hardly improve the model and take more time. */
const MAX_TRAINING_PASSAGES = 20_000;
const BATCH = 500;

const { file, userId, projectId } = workerData as TrainingTask;
const db = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
const project = db
  .prepare('SELECT key FROM lexical_projects WHERE user_id = ? AND project_id = ?')
  .get(userId, projectId);
// Selected by content and not by order of arrival: the same texts give the same model, in whatever order they were
// uploaded.
const ids = db
  .prepare('SELECT id FROM lexical_passages WHERE project = ? ORDER BY digest, id')
  .all(project?.['key'] ?? -1)
  .map((row) => Number(row['id']));
const select = db.prepare('SELECT title_terms, terms FROM lexical_passages WHERE id = ?');

const every = Math.max(1, ids.length / MAX_TRAINING_PASSAGES);
const sample = Array.from({ length: Math.floor(ids.length / every) }, (_, i) => ids[Math.floor(i * every)] as number);
const model = trainLsa(sample.map(termsOf));
send({ kind: 'model', model: encodeLsa(model) });
for (let at = 0; at < ids.length; at += BATCH) {
  const batch = ids.slice(at, at + BATCH);
  const vectors = new Float32Array(batch.length * model.dimensions);
  for (const [i, id] of batch.entries()) vectors.set(embedLsa(model, termsOf(id)), i * model.dimensions);
  send({ kind: 'vectors', ids: batch, vectors, dimensions: model.dimensions });
}
db.close();

function termsOf(id: number): string[] {
  const row = select.get(id);
  return `${String(row?.['title_terms'] ?? '')} ${String(row?.['terms'] ?? '')}`
    .split(' ')
    .filter((term) => term !== '');
}

function send(message: TrainingMessage): void {
  parentPort?.postMessage(message);
}
