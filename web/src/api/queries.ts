import { QueryClient } from '@tanstack/react-query';
import { ApiProblem, isPassing } from './client.ts';
import { connection } from './connection.ts';

const TRIES = 3;
/** The longest wait that shows a page as loading. A failure that takes longer to pass is shown, and the read is repeated in the background. */
const LONGEST_WAIT_MS = 1500;
const SHOWN_AGAIN_MS = { least: 10_000, most: 60_000 };

const wantedWaitMs = (error: unknown) => (error instanceof ApiProblem ? error.retryAfterMs : undefined);

/** What was read from the backend, for as long as the page is open. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // The browser's own idea of being online says nothing about a backend on this machine.
      networkMode: 'always',
      staleTime: 5000,
      retry: (failures, error) => failures < TRIES && isPassing(error) && (wantedWaitMs(error) ?? 0) <= LONGEST_WAIT_MS,
      retryDelay: (failures, error) => Math.min(LONGEST_WAIT_MS, wantedWaitMs(error) ?? 500 * 2 ** failures),
      refetchInterval: ({ state: { status, error } }) =>
        status === 'error' && isPassing(error)
          ? Math.min(SHOWN_AGAIN_MS.most, Math.max(SHOWN_AGAIN_MS.least, wantedWaitMs(error) ?? 0))
          : false,
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
