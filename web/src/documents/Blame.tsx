import { useQuery } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';
import { api, dataOf } from '../api/client.ts';
import { Empty, Loading, LoadProblem } from '../layout/Problems.tsx';
import { t } from '../texts/en.ts';
import { formatDate } from '../texts/format.ts';

const LINE_PX = 26;

/** Each line with who wrote it and when; the name stands where it changes. */
export default function Blame({ project, path }: { project: string; path: string }) {
  const { data, error, refetch } = useQuery({
    queryKey: ['history', project, path, 'blame'],
    queryFn: async () => {
      const params = { path: { project_id: project }, query: { path } };
      return (await dataOf(api.GET('/v1/api/projects/{project_id}/blame', { params }))).lines;
    },
  });
  const place = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: data?.length ?? 0,
    getScrollElement: () => place.current,
    estimateSize: () => LINE_PX,
    overscan: 20,
  });
  if (data === undefined) {
    return error === null ? (
      <Loading lines={8} />
    ) : (
      <LoadProblem error={error} text={t.history.away} onRetry={() => void refetch()} />
    );
  }
  if (data.length === 0) return <Empty title={t.history.empty} what={t.history.emptyWhat} />;
  return (
    // eslint-disable-next-line jsx-a11y-x/no-noninteractive-tabindex -- many lines are scrolled by keyboard too
    <div className="blame" ref={place} tabIndex={0} role="region" aria-label={t.reading.blame}>
      <ol className="plain-list" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ index, start, key }) => {
          const line = data[index];
          const changes = line?.version !== data[index - 1]?.version;
          return (
            <li
              key={key}
              ref={rows.measureElement}
              data-index={index}
              className={changes ? 'blamed blamed-first' : 'blamed'}
              style={{ transform: `translateY(${start}px)` }}
            >
              <span className="small soft blamed-who">
                {changes && line !== undefined && `${line.author}, ${formatDate(line.committed_at)}`}
              </span>
              <span className="small soft number blamed-line">{line?.line}</span>
              <code>{line?.text === '' ? ' ' : line?.text}</code>
            </li>
          );
        })}
      </ol>
    </div>
  );
}
