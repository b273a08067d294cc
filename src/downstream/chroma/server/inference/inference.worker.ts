// Runs one ONNX model, one text at a time, outside the event loop of the server.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { OnnxModel, type OnnxTask } from './onnx-model.js';

/** What the thread is told: a text or a pair of texts to run, or the id of one that nobody waits for any more. */
export type InferenceRequest =
  { kind: 'run'; id: number; text: string; pair?: string | undefined } | { kind: 'drop'; id: number };

export type InferenceAnswer = { id: number; output: Float32Array } | { id: number; error: string };

type Run = Extract<InferenceRequest, { kind: 'run' }>;

const waiting = new Map<number, Run>();
let working = false;

const model = await OnnxModel.load(workerData as OnnxTask);
// A model of another kind is found out here, and not with each text.
await model.run('check', 'check');
parentPort?.on('message', (request: InferenceRequest) => {
  if (request.kind === 'run') {
    waiting.set(request.id, request);
    void workOff();
  } else if (waiting.delete(request.id)) {
    // Each text gets one answer: the other side knows by it that this thread is alive.
    send({ id: request.id, error: 'nobody waits for it' });
  }
});

async function workOff(): Promise<void> {
  if (working) return;
  working = true;
  for (const [id, run] of waiting) {
    waiting.delete(id);
    send(await answerTo(run));
    // What was dropped during the run is seen now.
    await nextTurn();
  }
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
