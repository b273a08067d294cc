import { all, type Poison, put } from '../poison.js';

export const poison: Poison = {
  name: 'a user uploads texts that grow sixfold as JSON',
  against: 'a size limit that differs between the servers',
  send: (stage) =>
    all([
      put(stage, 'quotes.csv', 'a,"b"\n'.repeat(1_000_000), 'text/csv'),
      put(stage, 'controls.txt', '\u0001'.repeat(3_000_000), 'text/plain'),
    ]),
};
