import { useMutation, useQuery } from '@tanstack/react-query';
import { api, dataOf } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import type { OutboxReport } from '../api/shapes.ts';
import { LoadProblem } from '../layout/Problems.tsx';
import { t } from '../texts/en.ts';
import { formatAgo } from '../texts/format.ts';
import { outboxQuery } from './status-query.ts';

/** For operators: what waits until its service is back. */
export function Outbox() {
  const { data, error } = useQuery(outboxQuery);
  return (
    <section className="stack" aria-labelledby="outbox">
      <div>
        <h2 id="outbox">{t.status.outbox}</h2>
        <p className="small soft">{t.status.outboxWhat}</p>
      </div>
      {error !== null && data === undefined && <LoadProblem error={error} />}
      {data !== undefined && <Waiting report={data} />}
    </section>
  );
}

function Waiting({ report: { queues, dead } }: { report: OutboxReport }) {
  const replaying = useMutation({
    mutationFn: (id: string) => dataOf(api.POST('/v1/api/status/outbox/{id}/replay', { params: { path: { id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['status', 'outbox'] }),
  });
  const waiting = queues.filter(({ state }) => state !== 'dead');
  return (
    <>
      {waiting.length === 0 && dead.length === 0 && <p className="soft">{t.status.outboxEmpty}</p>}
      <ul className="plain-list">
        {waiting.map(({ topic, state, entries, oldest }) => (
          <li key={`${topic} ${state}`} className="row">
            <span className="number">{t.status.waiting(entries, topic)}</span>
            <span className="small soft">
              {state}, {t.status.oldest(formatAgo(oldest))}
            </span>
          </li>
        ))}
      </ul>
      {dead.length > 0 && (
        <>
          <h3>{t.status.dead}</h3>
          <ul className="plain-list">
            {dead.map(({ id, topic, last_error, created_at }) => (
              <li key={id} className="row spread dead-entry">
                <span>
                  {topic} <span className="small soft">{formatAgo(created_at)}</span>
                  <br />
                  <span className="small soft">{last_error}</span>
                </span>
                <button className="button button-small" onClick={() => replaying.mutate(id)}>
                  {t.status.replay}
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}
