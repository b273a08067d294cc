import { Agent, fetch } from 'undici';
import { all, type Poison, times } from '../poison.js';

/** A separate pool of connections. */
const own = new Agent();

export const poison: Poison = {
  name: 'a user begins uploads, chats and searches, and leaves at once',
  against: 'disconnects counted as failures, or work without a reader going on',
  send: ({ attacker, project }) =>
    all(
      times(60, async (i) => {
        const gone = new AbortController();
        setTimeout(() => gone.abort(), i % 20);
        await fetch(`${attacker.url}/v1/api/projects/${project}/documents/left${i}.md`, {
          method: 'PUT',
          headers: { authorization: `Bearer ${attacker.token}`, 'content-type': 'text/markdown' },
          body: '# Left\n\n'.repeat(1000),
          signal: gone.signal,
          dispatcher: own,
        });
      }),
    ),
};
