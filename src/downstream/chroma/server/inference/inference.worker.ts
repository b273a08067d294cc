// Runs one ONNX model, one text at a time, outside of the server's event loop.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { OnnxModel, type OnnxTask } from './onnx-model.js';

/** The messages to the thread: a text or a pair of texts to run, the id of a cancelled one, or to end after the current one. */
export type InferenceRequest =
  { kind: 'run'; id: number; text: string; pair?: string | undefined } | { kind: 'drop'; id: number } | { kind: 'end' };

export type InferenceAnswer = { id: number; output: Float32Array } | { id: number; error: string };

type Run = Extract<InferenceRequest, { kind: 'run' }>;

const waiting = new Map<number, Run>();
let working = false;
let ending = false;

const model = await OnnxModel.load(workerData as OnnxTask);
// A model of the wrong kind is detected here, and not with each text.
await model.run('check', 'check');
parentPort?.on('message', (request: InferenceRequest) => {
  if (request.kind === 'run') {
    waiting.set(request.id, request);
    void workOff();
  } else if (request.kind === 'end') {
    waiting.clear();
    // While a run is under way its end is waited for: onnxruntime aborts the whole process when its thread is torn down then.
    if (!working) process.exit();
    ending = true;
  } else if (waiting.delete(request.id)) {
    // Each text gets exactly one answer, by which the other side knows that this thread works.
    send({ id: request.id, error: 'nobody waits for it' });
  }
});

async function workOff(): Promise<void> {
  if (working) return;
  working = true;
  for (const [id, run] of waiting) {
    waiting.delete(id);
    send(await answerTo(run));
    // Messages with cancellations that arrived during the run are handled now.
    await nextTurn();
  }
  if (ending) process.exit();
  working = false;
}

async function answerTo({ id, text, pair }: Run): Promise<InferenceAnswer> {
  try {
    return { id, output: await model.run(text, pair) };
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) };
  }
}

function send(answer: InferenceAnswer): void {
  parentPort?.postMessage(answer);
}
