import { all, JSON_TYPE, type Poison, times } from '../poison.js';

const BODIES = [
  '['.repeat(1_000_000),
  '{"a":'.repeat(200_000),
  `{"email":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
  `{"message":"${'\\u0000'.repeat(300_000)}"}`,
  `[${'1,'.repeat(900_000)}1]`,
];

export const poison: Poison = {
  name: 'anybody sends JSON that is nested a million times, or two megabytes of it',
  against: 'parsers that take more than linear time, before authentication',
  send: ({ stranger, attacker }) =>
    all(
      times(20, (i) => {
        const body = BODIES[i % BODIES.length] as string;
        return i % 2 === 0
          ? stranger.request('POST', '/v1/api/auth/login', body, JSON_TYPE)
          : attacker.request('POST', '/v1/api/chat', body, { ...JSON_TYPE, 'idempotency-key': `k${i}` });
      }),
    ),
};
