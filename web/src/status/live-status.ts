import { useEffect, useState } from 'react';
import { queries } from '../api/queries.ts';
import { statusQuery } from './status-query.ts';

type AllStatus = Awaited<ReturnType<Exclude<typeof statusQuery.queryFn, symbol | undefined>>>;

/** Keeps the known status as the server's stream of it says, while a page shows it. @returns whether the stream is open */
export function useLiveStatus(): boolean {
  const [open, setOpen] = useState(true);
  useEffect(() => {
    const stream = new EventSource('/v1/api/status/stream');
    stream.addEventListener('status', ({ data }: MessageEvent<string>) => {
      setOpen(true);
      queries.setQueryData(statusQuery.queryKey, JSON.parse(data) as AllStatus);
    });
    stream.addEventListener('state', () => {
      // The event says what changed; the counts and times beside it are read.
      void queries.invalidateQueries({ queryKey: ['status'] });
    });
    stream.addEventListener('error', () => setOpen(false));
    return () => stream.close();
  }, []);
  return open;
}
