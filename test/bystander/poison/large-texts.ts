import { all, type Poison, put } from '../poison.js';

const CHARS = 7_000_000;
const UNITS = ['# a\n', '## word\n\n', 'ab\n\n', '- a\n', '|a|\n', '```\n', 'a', '[[a]]', '> > a\n', '梨', '🍐'];

export const poison: Poison = {
  name: 'a user uploads texts of seven million headings, items, fences or letters',
  against: 'a text that is cut into passages in one step, which stops filesystem and chroma',
  send: (stage) =>
    all(UNITS.map((unit, i) => put(stage, `large${i}.md`, unit.repeat(CHARS / unit.length), 'text/markdown'))),
};
