import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { memo, Suspense } from 'react';
import { api, dataOf } from '../api/client.ts';
import type { LedgerRow } from '../api/shapes.ts';
import { Empty, Loading, LoadProblem } from '../layout/Problems.tsx';
import { useTitle } from '../layout/title.ts';
import { t } from '../texts/en.ts';
import { formatDateTime, formatNumber } from '../texts/format.ts';
import { beginOf, coversAllDays, DAYS, spentByDay } from './spending.ts';
import './usage.css';
import { lazily } from '../layout/lazily.ts';

const SpendingPlot = lazily(() => import('./SpendingPlot.tsx'));
const PAGE = 500;
/** The most pages that are read for the plot. */
const MAX_PAGES = 40;

export function UsagePage() {
  useTitle(t.usage.title);
  const balance = useQuery({
    queryKey: ['billing', 'balance'],
    queryFn: () => dataOf(api.GET('/v1/api/billing/balance')),
  });
  const usage = useInfiniteQuery({
    queryKey: ['billing', 'usage'],
    initialPageParam: 0,
    queryFn: ({ pageParam }) =>
      dataOf(api.GET('/v1/api/billing/usage', { params: { query: { limit: PAGE, offset: pageParam } } })),
    getNextPageParam: (last, pages) => {
      const read = pages.reduce((sum, { rows }) => sum + rows.length, 0);
      return read < last.total && last.rows.length > 0 ? read : undefined;
    },
  });
  const pages = usage.data?.pages.map((page) => page.rows);
  const rows = pages?.flat();
  const begun = rows !== undefined && usage.hasNextPage && !coversAllDays(rows, new Date());
  const further = useQuery({ queryKey: ['billing', 'days'], queryFn: rowsOfAllDays, enabled: begun });
  const days = begun ? further.data : rows;
  const total = usage.data?.pages[0]?.total ?? 0;
  const begin = days && beginOf(days, total, new Date());
  const error = balance.error ?? usage.error ?? (begun ? further.error : null);
  return (
    <div className="page">
      <h1>{t.usage.title}</h1>
      {error !== null && (
        <LoadProblem
          error={error}
          text={t.usage.away}
          onRetry={() => void Promise.all([balance.refetch(), usage.refetch(), begun && further.refetch()])}
        />
      )}
      {balance.data !== undefined && rows !== undefined && (
        <dl className="figures">
          <Figure name={t.usage.credits} value={balance.data.credits} />
          <Figure
            name={begin === undefined ? t.usage.spent(DAYS) : t.usage.spentSince(begin)}
            value={days && spentByDay(days, new Date()).reduce((sum, { credits }) => sum + credits, 0)}
          />
          {balance.data.reserved > 0 && <Figure name={t.usage.reserved} value={balance.data.reserved} />}
        </dl>
      )}
      {rows === undefined && error === null && <Loading lines={6} />}
      {pages !== undefined && <Spending pages={pages} days={days} begin={begin} />}
      {rows !== undefined && usage.hasNextPage && (
        <div className="row spread">
          <p className="small soft number">{t.usage.shown(rows.length, total)}</p>
          <button className="button" disabled={usage.isFetchingNextPage} onClick={() => void usage.fetchNextPage()}>
            {t.usage.more}
          </button>
        </div>
      )}
    </div>
  );
}

/** The newest rows, as far back as the plot goes; the table shows fewer at first. */
async function rowsOfAllDays(): Promise<LedgerRow[]> {
  const rows: LedgerRow[] = [];
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const query = { limit: PAGE, offset: rows.length };
    const { rows: more, total } = await dataOf(api.GET('/v1/api/billing/usage', { params: { query } }));
    rows.push(...more);
    if (more.length === 0 || rows.length >= total || coversAllDays(rows, new Date())) break;
  }
  return rows;
}

function Figure({ name, value }: { name: string; value: number | undefined }) {
  return (
    <div>
      <dt className="small soft">{name}</dt>
      <dd className="figure number">{value === undefined ? '…' : formatNumber(value)}</dd>
    </div>
  );
}

/**
 * @param days the rows that the plot counts; undefined while they are read
 * @param begin the time of the oldest of them, where they do not go back far enough
 */
function Spending({
  pages,
  days,
  begin,
}: {
  pages: LedgerRow[][];
  days: LedgerRow[] | undefined;
  begin: string | undefined;
}) {
  if (pages.flat().every(({ kind }) => kind === 'grant')) return <Empty title={t.usage.empty} what={t.usage.price} />;
  return (
    <>
      <figure className="plot">
        <figcaption className="small soft">
          {t.usage.plot}
          {days !== undefined && begin !== undefined && `. ${t.usage.plotFrom(days.length, begin)}`}
        </figcaption>
        <Suspense fallback={<div className="plot-place" />}>
          {days === undefined ? <div className="plot-place" /> : <SpendingPlot days={spentByDay(days, new Date())} />}
        </Suspense>
      </figure>
      <Ledger pages={pages} />
    </>
  );
}

function Ledger({ pages }: { pages: LedgerRow[][] }) {
  return (
    <table className="ledger">
      <thead>
        <tr>
          <th scope="col">{t.usage.when}</th>
          <th scope="col">{t.usage.what}</th>
          <th scope="col" className="amount">
            {t.usage.change}
          </th>
        </tr>
      </thead>
      {pages.map((rows) => (
        <LedgerPage key={rows[0]?.id} rows={rows} />
      ))}
    </table>
  );
}

/** The rows of one response. They are not rendered again when the next ones arrive. */
const LedgerPage = memo(function LedgerPage({ rows }: { rows: LedgerRow[] }) {
  return (
    <tbody>
      {rows.map(({ id, created_at, kind, credits }) => (
        <tr key={id}>
          <td>
            <time dateTime={created_at}>{formatDateTime(created_at)}</time>
          </td>
          <td>{t.usage.kinds[kind]}</td>
          <td className="amount number">{credits > 0 ? `+${formatNumber(credits)}` : formatNumber(credits)}</td>
        </tr>
      ))}
    </tbody>
  );
});
