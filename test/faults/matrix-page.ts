import type { ChatAnswer, SearchAnswer } from '../system/caudex.js';

export interface Row {
  service: string;
  fault: string;
  search: string;
  chat: string;
  stream: string;
  /** What a token that was not known before gets. */
  unknown: string;
  breaker: string;
}

/** An answer in a few words. */
export function outcomeOf(answer: { status: number } & (SearchAnswer | ChatAnswer)): string {
  const words = [`${answer.status} ${answer.source}`];
  if ('saved' in answer) {
    if (answer.model === 'extractive') words.push('extractive');
    if (answer.state !== 'complete') words.push(answer.state);
    if (answer.saved === 'queued') words.push('queued');
  }
  words.push(...answer.degradation.map(({ service, reason, fallback }) => `${service} ${reason} → ${fallback}`));
  return words.join('; ');
}

export function renderMatrix(rows: readonly Row[]): string {
  return `${PREFACE}\n${table(rows)}\n`;
}

const PREFACE = `# What happens when a service fails

\`test/faults/fault-matrix.spec.ts\` writes this page and fails when the system does something else. A TCP proxy stands
in front of every service and does one thing wrong at a time, while a search, a chat and a streamed chat are asked for by
somebody whose token auth has verified before. Every answer comes within its time limit; after the fault the next
requests close the breaker and are answered as if nothing had been. At the end every question of the whole run is in its
conversation once and was charged once, and every upload made while git was away has its commit.

The times are a fifth or less of those in \`config/default.yaml\`, and \`slow\`, 500 ms, stands for 3 s. A cell reads: status,
source of the passages; what is different from a healthy answer; \`service reason → fallback\` from \`degradation\`.
\`queued\` is \`saved: queued\`, \`extractive\` the model's name, \`partial\` the answer's state.

The rules behind the table:

- **auth**: a token verified within \`session.grace_ms\` goes on working; one that is not known gets 503 and never 401.
- **filesystem**: the turn waits in the outbox. Where nothing has failed yet when the answer is ready (hanging, slow), the
  answer says \`queued\` and no degradation.
- **chroma**: full text answers; then the last good result from the cache; then nothing, and the answer says so. A hanging
  Chroma is given up when the budget of the passages is spent: \`deadline\`.
- **billing**: the chat goes on, the charge waits in the outbox.
- **git**: a search never asks it, a chat only where the graph could add a passage (here it could) or the question is
  about change; it then waits for its budget at most and says \`none\`. The commit of an upload waits in the outbox.
- **llm**: before its first token the answer is extractive; after it, what there is of it stays, as \`partial\`.
- A breaker opens after its \`failure_threshold\` of failed attempts, whatever kind they are. Slow is no failure.
`;

function table(rows: readonly Row[]): string {
  const head = ['service', 'fault', 'search', 'chat', 'streamed chat', 'unknown token', 'breaker'];
  const lines = rows.map(({ service, fault, search, chat, stream, unknown, breaker }) => [
    service,
    fault,
    search,
    chat,
    stream,
    unknown,
    breaker,
  ]);
  const widths = head.map((title, column) =>
    Math.max(...[head, ...lines].map((line) => line[column]?.length ?? 0), title.length),
  );
  const row = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [row(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...lines.map(row)].join('\n');
}
