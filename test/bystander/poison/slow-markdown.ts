import { all, type Poison, put } from '../poison.js';

const TEXTS = [
  `# x${' '.repeat(400_000)}`,
  '#'.repeat(400_000),
  '['.repeat(400_000),
  ']('.repeat(200_000),
  `${'['.repeat(500)}]]`.repeat(1000),
  '`'.repeat(400_000),
  '- '.repeat(200_000),
  '> '.repeat(200_000),
  '|'.repeat(400_000),
  '\u0301'.repeat(200_000),
  '梨'.repeat(150_000),
  'aB'.repeat(200_000),
];

export const poison: Poison = {
  name: 'a user uploads Markdown of one mark or letter, 400,000 times',
  against: 'patterns with more than linear time stopping git permanently, also after restarts',
  send: (stage) => all(TEXTS.map((text, i) => put(stage, `slow${i}.md`, text, 'text/markdown'))),
};
