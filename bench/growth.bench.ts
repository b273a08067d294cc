// Measures the growth of time with the size of user input: n, 2n, 4n, 8n of the worst known input for each step, and the
// slope of log time over log size (1: linear). Prints the table of docs/security.md.
import { strToU8, zipSync } from 'fflate';
import { CitationFilter } from '../dist/backend/chat/citations.js';
import { isDeeperThan } from '../dist/backend/edge/body-parsers.js';
import { changeQuestion } from '../dist/backend/search/change/change-question.js';
import { readArchive } from '../dist/backend/documents/archive/read-archive.js';
import { SkippedFiles } from '../dist/backend/documents/archive/junk.js';
import { pathFault } from '../dist/contract/document-path.js';
import { documentFacts } from '../dist/downstream/git/server/graph/document-facts.js';
import { analyseDocument } from '../dist/text/analysed-document.js';
import { parseQuery } from '../dist/text/query.js';
import { titleOf } from '../dist/text/title.js';

interface Step {
  name: string;
  /** The limit of its size. */
  bound: string;
  /** The smallest size, in characters or bytes. */
  n: number;
  inputs: readonly string[];
  run: (text: string) => unknown;
}

const STEPS: readonly Step[] = [
  {
    name: 'JSON before it is parsed',
    bound: 'http.max_json_bytes; 16 KiB for strangers; 100 levels',
    n: 250_000,
    inputs: ['[]', '{"a":1},', '"\\\\"', ' '],
    run: (text) => isDeeperThan(100, Buffer.from(text)),
  },
  {
    name: 'headings, links and terms for the graph',
    bound: '1,000,000 characters',
    n: 125_000,
    inputs: ['# x', ' ', '#', '[', '](', '[](a', '[[a|', '[](a) ', 'word '],
    run: (text) => documentFacts('a.md', `# x${text}`),
  },
  {
    name: 'passages and terms of a text',
    bound: 'http.max_body_bytes; slices of 10 ms',
    n: 125_000,
    inputs: [
      'x ',
      '# a\n',
      '# a\n\n',
      'ab\n\n',
      '`',
      '```\n',
      '- ',
      '> ',
      '|',
      '\u0301',
      '梨',
      'aB',
      'x\n',
      'word. ',
      '...',
    ],
    run: (text) => analyseDocument({ path: 'a.md', title: 'a', text, mediaType: 'text/markdown' }),
  },
  {
    name: 'the title of a text',
    bound: 'http.max_body_bytes',
    n: 125_000,
    inputs: ['# ', '\n', ' ', '#', '-\n'],
    run: (text) => titleOf('a.md', text, 'text/markdown'),
  },
  {
    name: 'a question about change',
    bound: '2,000 characters; a longer one is none',
    n: 250,
    inputs: ['who did ', 'changed ', 'last 3 days ', '....', '2026-01-01 '],
    run: (text) => changeQuestion(`who changed ${text}`.slice(0, 2000), new Date(0)),
  },
  {
    name: 'the words and phrases of a query',
    bound: '8,192 characters',
    n: 512,
    inputs: ['"a b"', '"', 'word ', '" "'],
    run: (text) => parseQuery(text),
  },
  {
    name: 'the citations in an answer, token by token',
    bound: 'chat.answer_tokens',
    n: 2000,
    inputs: ['`', '[', '[1', ' [1] ', '\n'],
    run: (text) => {
      const filter = new CitationFilter(5);
      for (const token of text) filter.push(token);
      return filter.end();
    },
  },
  {
    name: 'the path of a document',
    bound: 'a URL of 16 KiB; 255 characters',
    n: 2000,
    inputs: ['a/', '../', ' ', '\u0301'],
    run: (text) => pathFault(text),
  },
  {
    name: 'a zip archive',
    bound: 'http.max_body_bytes, documents.archive',
    n: 250,
    inputs: ['a'],
    run: (text) => {
      const files = Object.fromEntries(Array.from({ length: text.length }, (_, i) => [`${i}.md`, strToU8('x')]));
      return readArchive(
        Buffer.from(zipSync(files)),
        { max_files: 10_000, max_bytes: 1e9, max_ratio: 1000 },
        new SkippedFiles(),
      );
    },
  },
];

const ROUNDS = 7;
const SIZES = [1, 2, 4, 8];

async function timeOf(run: () => unknown): Promise<number> {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const beganMs = performance.now();
    await run();
    best = Math.min(best, performance.now() - beganMs);
  }
  return best;
}

/** The times of the input that takes longest at the largest size. */
async function worst({ n, inputs, run }: Step): Promise<{ input: string; times: number[] }> {
  let found = { input: '', times: [0, 0, 0, 0] };
  for (const input of inputs) {
    const times: number[] = [];
    for (const size of SIZES) times.push(await timeOf(() => run(input.repeat(Math.ceil((n * size) / input.length)))));
    if ((times[3] as number) > (found.times[3] as number)) found = { input, times };
  }
  return found;
}

/** In ASCII, so that the columns are aligned. */
function printable(input: string): string {
  return JSON.stringify(input).replace(
    /[^\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const cells: string[][] = [['step', 'bound', 'worst input', 'n', ...SIZES.map((size) => `${size}n, ms`), 'slope']];
let steepest = 0;
for (const step of STEPS) {
  const { input, times } = await worst(step);
  const slope = Math.log2((times[3] as number) / (times[0] as number)) / 3;
  steepest = Math.max(steepest, slope);
  const shown = times.map((ms) => ms.toPrecision(2));
  cells.push([step.name, step.bound, `\`${printable(input)}\``, String(step.n), ...shown, slope.toFixed(2)]);
}
const widths = (cells[0] as string[]).map((_, i) => Math.max(...cells.map((row) => (row[i] as string).length)));
const line = (row: readonly string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i] as number)).join(' | ')} |`;
console.log(line(cells[0] as string[]));
console.log(line(widths.map((width) => '-'.repeat(width))));
for (const row of cells.slice(1)) console.log(line(row));
// A step that is more than linear doubles its slope; noise does not.
if (steepest > 1.8) {
  console.error(`A step takes more than linear time: its slope is ${steepest.toFixed(2)}`);
  process.exitCode = 1;
}
