import { Agent, fetch } from 'undici';
import { all, type Poison, times } from '../poison.js';

/** Connections of this poison alone. */
const own = new Agent();

export const poison: Poison = {
  name: 'a user begins uploads, chats and searches, and leaves at once',
  against: 'callers who leave counted as failures, or their work going on for nobody',
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
