import { all, JSON_TYPE, type Poison, times } from '../poison.js';

export const poison: Poison = {
  name: 'a user asks every service with deadlines of 1 to 3 ms',
  against: 'deadlines from outside counted as failures of chroma, billing and git',
  send: ({ attacker, project }) =>
    all(
      times(60, (i) => {
        const hurried = { 'x-request-timeout-ms': String(1 + (i % 3)) };
        const search = JSON.stringify({ project_id: project, query: `q ${i}` });
        return [
          () => attacker.request('POST', '/v1/api/search', search, { ...JSON_TYPE, ...hurried }),
          () => attacker.request('GET', `/v1/api/billing/usage?limit=${i + 1}`, undefined, hurried),
          () => attacker.request('GET', `/v1/api/projects/${project}/history?limit=${i + 1}`, undefined, hurried),
        ][i % 3]?.();
      }).map((request) => Promise.resolve(request)),
    ),
};
