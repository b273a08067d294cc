import type { ChatAnswer, SearchAnswer } from '../system/caudex.js';

export interface Row {
  service: string;
  fault: string;
  search: string;
  chat: string;
  stream: string;
  /** The answer to an unknown token. */
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

\`test/faults/fault-matrix.spec.ts\` writes this page and fails when the system behaves differently. A TCP proxy in front of
every service makes one fault at a time, while a user whose token was verified before sends a search, a chat and a
streamed chat. Every answer comes within its time limit; after the fault the next requests close the breaker and get
healthy answers. At the end every question of the whole run is in its conversation once and was charged once, and every
upload made while git was unavailable has its commit.

The times are a fifth or less of those in \`config/default.yaml\`, and \`slow\`, 500 ms, stands for 3 s. A cell holds: status,
source of the passages; differences from a healthy answer; \`service reason → fallback\` from \`degradation\`.
\`queued\` is \`saved: queued\`, \`extractive\` the model's name, \`partial\` the answer's state.

The rules behind the table:

- **auth**: a token verified within \`session.grace_ms\` stays valid; an unknown one gets 503 and never 401.
- **filesystem**: the turn waits in the outbox. Where no attempt has failed yet when the answer is ready (hanging, slow),
  the answer says \`queued\` without a degradation.
- **chroma**: the fallbacks are full text, then the last good result from the cache, then no passages, which the answer
  says. The call to a hanging Chroma ends when the time budget of the passages is spent: \`deadline\`.
- **billing**: the chat goes on, the charge waits in the outbox.
- **git**: a search does not call it. A chat calls it only where the graph could add a passage (as here) or the question is
  about a change; it waits for its budget at most and reports \`none\`. The commit of an upload waits in the outbox.
- **llm**: before its first token the answer is extractive; after it, the text so far is kept as \`partial\`.
- A breaker opens after \`failure_threshold\` failed attempts of any kind. A slow answer is not a failure.
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
