import { all, type Poison, times } from '../poison.js';

const PIECES = ['who did ', 'when was ', 'changed ', 'last 3 days ', 'a.', '....', '2026-01-01 '];

export const poison: Poison = {
  name: 'a user asks questions of 32 kB that are nothing but "who did"',
  against: 'patterns over the question stopping the backend',
  send: ({ attacker, project }) =>
    all(
      times(21, (i) => {
        const piece = PIECES[i % PIECES.length] as string;
        return attacker.chat(project, piece.repeat(Math.floor(32_000 / piece.length)));
      }),
    ),
};
