import { all, type Poison, put, times } from '../poison.js';

export const poison: Poison = {
  name: 'a user asks who changed each of 200,000 lines, ten times at once',
  against: "git's whole capacity used by one user",
  send: async (stage) => {
    await put(stage, 'lines.txt', 'x\n'.repeat(200_000), 'text/plain');
    const blame = `/v1/api/projects/${stage.project}/blame?path=lines.txt`;
    const history = `/v1/api/projects/${stage.project}/history?path=lines.txt`;
    await all(times(10, () => stage.attacker.request('GET', blame)));
    await all(times(10, () => stage.attacker.request('GET', history)));
  },
};
