import { all, type Poison, put } from '../poison.js';

const HEADINGS = Array.from({ length: 300_000 }, (_, i) => `${'#'.repeat(1 + (i % 6))} part ${i}`).join('\n');

export const poison: Poison = {
  name: 'a user deletes a project with a text of 300,000 headings',
  against: 'the passages of a project that are deleted in one transaction, which blocks the server for seconds',
  async send(stage) {
    const { attacker } = stage;
    const project = await attacker.project();
    await all([put({ ...stage, project }, 'headings.md', HEADINGS, 'text/markdown')]);
    await all([attacker.request('DELETE', `/v1/api/projects/${project}`)]);
  },
};
