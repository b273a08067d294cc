import { Agent, fetch } from 'undici';
import { type Poison, times } from '../poison.js';

/** A separate pool of connections. */
const own = new Agent();

export const poison: Poison = {
  name: 'a user opens 450 event streams',
  against: 'connections without a limit',
  send: async ({ attacker }) => {
    const gone = new AbortController();
    const open = () =>
      fetch(`${attacker.url}/v1/api/status/stream`, {
        headers: { authorization: `Bearer ${attacker.token}` },
        signal: gone.signal,
        dispatcher: own,
      });
    await Promise.allSettled(times(450, open));
    gone.abort();
  },
};
