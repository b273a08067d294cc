import { all, type Poison, put, times } from '../poison.js';

const SLOW = '<div>'.repeat(400_000);

export const poison: Poison = {
  name: 'a user uploads twenty HTML files that take as long to read as they may',
  against: 'one user occupying all slots of the text extractor, and timeouts opening the breaker',
  send: (stage) => all(times(20, (i) => put(stage, `slow${i}.html`, SLOW, 'text/html'))),
};
