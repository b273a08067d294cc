export interface Row {
  does: string;
  /** The beginning of the text that the user sees. */
  sees: string;
  state: string;
  finish: string;
  model: string;
  degradation: string;
  status: string;
}

export function renderPage(rows: readonly Row[]): string {
  return `${PREFACE}\n${table(rows)}\n`;
}

const PREFACE = `# What models do, and what a person sees

\`test/models/models.spec.ts\` writes this page and fails when the system does something else. For each row a fresh system
with one model is asked "When do the pears ripen?" about a project with one document. The answer of a model that works is
"In September [1].". With a second model configured, \`next_model\` stands in the place of \`extractive\` and the second one
answers.

\`state\`, \`finish_reason\`, \`model\` and \`degradation\` (\`service reason → fallback\`) are fields of the answer. The last column
is the model's entry in \`GET /v1/api/status/services\` afterwards: the state of its breaker, the failures that it has
counted, and \`misconfigured\` where the model refuses requests because of its key, its name, a parameter or its quota. What
refuses a parameter is asked once more without it, and a prompt that is too long is shortened once.
`;

function table(rows: readonly Row[]): string {
  const head = ['The endpoint …', 'The person sees', 'state', 'finish_reason', 'model', 'degradation', 'status'];
  const lines = [head, ...rows.map((row) => Object.values(row) as string[])];
  const widths = head.map((_, column) => Math.max(3, ...lines.map((line) => line[column]?.length ?? 0)));
  const row = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const [first = head, ...rest] = lines;
  return [row(first), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rest.map(row)].join('\n');
}
