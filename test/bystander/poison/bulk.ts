import { strToU8, zipSync } from 'fflate';
import { type Poison, times } from '../poison.js';

const files = Object.fromEntries(times(500, (i) => [`bulk/${i}.md`, strToU8(`# Note ${i}\n\nA text about ${i}.`)]));
const ARCHIVE = new Uint8Array(zipSync(files));

export const poison: Poison = {
  name: 'a user uploads 500 documents in one archive',
  against: 'one queue for everybody: index, commits and graph of others wait behind them',
  send: async ({ attacker, project }) => {
    const type = { 'content-type': 'application/zip' };
    await attacker.request('POST', `/v1/api/projects/${project}/documents`, ARCHIVE, type);
  },
};
