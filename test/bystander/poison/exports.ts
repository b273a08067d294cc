import { all, type Poison, times } from '../poison.js';

export const poison: Poison = {
  name: 'a user with 30 projects exports the account 30 times at once',
  against: 'the most costly request without a limit of its own',
  send: async ({ attacker }) => {
    await all(
      times(30, (i) =>
        attacker.request('POST', '/v1/api/projects', JSON.stringify({ name: `Project ${i}` }), {
          'content-type': 'application/json',
        }),
      ),
    );
    await all(times(30, () => attacker.request('GET', '/v1/api/account/export')));
  },
};
