import { all, JSON_TYPE, type Poison, times } from '../poison.js';

export const poison: Poison = {
  name: 'a stranger signs in with deadlines of 1 to 60 ms',
  against: 'deadlines from outside counted as failures of auth',
  send: ({ stranger }) =>
    all(
      times(40, (i) =>
        stranger.request(
          'POST',
          '/v1/api/auth/login',
          JSON.stringify({ email: `nobody${i}@example.org`, password: 'a wrong password' }),
          { ...JSON_TYPE, 'x-request-timeout-ms': String(1 + (i % 60)) },
        ),
      ),
    ),
};
