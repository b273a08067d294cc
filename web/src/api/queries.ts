import { QueryClient } from '@tanstack/react-query';
import { ApiProblem, isPassing } from './client.ts';
import { connection } from './connection.ts';

const TRIES = 3;
const LONGEST_WAIT_MS = 15_000;

/** What was read from the backend, for as long as the page is open. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // The browser's own idea of being online says nothing about a backend on this machine.
      networkMode: 'always',
      staleTime: 5000,
      retry: (failures, error) => failures < TRIES && isPassing(error),
      retryDelay: (failures, error) => {
        const wanted = error instanceof ApiProblem ? error.retryAfterMs : undefined;
        return Math.min(LONGEST_WAIT_MS, wanted ?? 500 * 2 ** failures);
      },
    },
    mutations: { networkMode: 'always' },
  },
});

// What failed or grew old while the backend was away, and what was refused before the session was renewed, is read again.
let usable = true;
connection.subscribe(() => {
  const now = !connection.away && !connection.signedOut;
  if (now && !usable) void queries.invalidateQueries();
  usable = now;
});
