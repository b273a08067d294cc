import { all, JSON_TYPE, type Poison, put } from '../poison.js';

const LINKS = Array.from({ length: 150_000 }, (_, i) => `[[d${i}]] [a](d${i}.md)`).join(' ');

export const poison: Poison = {
  name: 'a user moves a document while another has 300,000 links in one line',
  against: 'links that are changed without giving back the event loop of the backend',
  async send(stage) {
    const { attacker, project } = stage;
    await all([put(stage, 'links.md', LINKS, 'text/markdown'), put(stage, 'd1.md', '# D', 'text/markdown')]);
    const paths = { from: 'd1.md', to: 'e1.md', update_links: true };
    await all([attacker.request('POST', `/v1/api/projects/${project}/move`, JSON.stringify(paths), JSON_TYPE)]);
  },
};
