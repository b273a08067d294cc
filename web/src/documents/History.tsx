import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { Suspense, useState } from 'react';
import { api, dataOf } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import type { Version } from '../api/shapes.ts';
import { Empty, Loading, LoadProblem } from '../layout/Problems.tsx';
import { t } from '../texts/en.ts';
import { formatDateTime } from '../texts/format.ts';
import { lazily } from '../layout/lazily.ts';

const DiffView = lazily(() => import('./DiffView.tsx'));
const PAGE = 50;

export default function History({ project, path }: { project: string; path: string }) {
  const { data, error, refetch, hasNextPage, fetchNextPage } = useInfiniteQuery({
    queryKey: ['history', project, path],
    initialPageParam: 0,
    queryFn: ({ pageParam }) => {
      const params = { path: { project_id: project }, query: { path, limit: PAGE, offset: pageParam } };
      return dataOf(api.GET('/v1/api/projects/{project_id}/history', { params }));
    },
    getNextPageParam: (last, pages) => {
      const read = pages.reduce((sum, { versions }) => sum + versions.length, 0);
      return read < last.total && last.versions.length > 0 ? read : undefined;
    },
  });
  const [chosen, setChosen] = useState<string>();
  const versions = data?.pages.flatMap((page) => page.versions);
  if (versions === undefined) {
    return error === null ? (
      <Loading lines={6} />
    ) : (
      <LoadProblem error={error} text={t.history.away} onRetry={() => void refetch()} />
    );
  }
  if (versions.length === 0) return <Empty title={t.history.empty} what={t.history.emptyWhat} />;
  const at = Math.max(
    0,
    versions.findIndex(({ version }) => version === chosen),
  );
  return (
    <div className="history">
      <ol className="plain-list versions">
        {versions.map((version, index) => (
          <li key={version.version}>
            <button className="version" aria-pressed={index === at} onClick={() => setChosen(version.version)}>
              <span>{version.message}</span>
              <span className="small soft">
                {formatDateTime(version.committed_at)} {t.history.by(version.author)}
                {index === 0 && ` · ${t.history.current}`}
              </span>
            </button>
          </li>
        ))}
        {hasNextPage && (
          <li>
            <button className="button button-small" onClick={() => void fetchNextPage()}>
              {t.usage.more}
            </button>
          </li>
        )}
      </ol>
      <Change
        key={versions[at]?.version}
        project={project}
        path={path}
        version={versions[at] as Version}
        before={versions[at + 1]}
        current={at === 0}
      />
    </div>
  );
}

function Change({
  project,
  path,
  version: { version, committed_at },
  before,
  current,
}: {
  project: string;
  path: string;
  version: Version;
  before: Version | undefined;
  current: boolean;
}) {
  const { data, error } = useQuery({
    queryKey: ['diff', project, path, before?.version, version],
    enabled: before !== undefined,
    queryFn: async () => {
      const query = { path, from: before?.version ?? '', to: version };
      return (
        await dataOf(
          api.GET('/v1/api/projects/{project_id}/diff', { params: { path: { project_id: project }, query } }),
        )
      ).diff;
    },
  });
  const restoring = useMutation({
    mutationFn: () =>
      dataOf(
        api.POST('/v1/api/projects/{project_id}/restore', {
          params: { path: { project_id: project } },
          body: { path, version },
        }),
      ),
    onSuccess: async () => {
      for (const queryKey of [
        ['document', project],
        ['documents', project],
        ['history', project],
      ]) {
        await queries.invalidateQueries({ queryKey });
      }
    },
  });
  return (
    <section className="change" aria-label={t.history.compare}>
      <div className="row spread">
        <h2>{t.history.compare}</h2>
        {!current && (
          <button className="button button-small" disabled={restoring.isPending} onClick={() => restoring.mutate()}>
            {t.history.restore}
          </button>
        )}
      </div>
      <p role="status" className="small">
        {restoring.isSuccess && t.reading.restored(formatDateTime(committed_at))}
        {restoring.error?.message}
      </p>
      {before === undefined && <p className="soft">{t.history.first}</p>}
      {error !== null && <LoadProblem error={error} />}
      {data === '' && <p className="soft">{t.history.same}</p>}
      {data !== undefined && data !== '' && (
        <Suspense fallback={<Loading lines={5} />}>
          <DiffView diff={data} />
        </Suspense>
      )}
    </section>
  );
}
