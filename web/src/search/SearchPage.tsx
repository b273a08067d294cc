import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { type KeyboardEvent, memo, useDeferredValue, useEffect, useId, useMemo, useRef, useState } from 'react';
import { api, dataOf } from '../api/client.ts';
import type { SearchAnswer, SearchResult } from '../api/shapes.ts';
import { DegradedLine } from '../chat/DegradedLine.tsx';
import { Empty, Loading, LoadProblem } from '../layout/Problems.tsx';
import { useTitle } from '../layout/title.ts';
import { t } from '../texts/en.ts';
import { Filters, type SearchMode } from './Filters.tsx';
import { piecesOf } from './highlight.ts';
import { readAddress, scopeOf } from './search-address.ts';
import './search.css';

const ROUTE = '/shell/p/$project/search';
const PAGE = 20;
const TYPING_MS = 180;

export function SearchPage() {
  const { project } = useParams({ from: ROUTE });
  const address = useSearch({ from: ROUTE });
  const { q = '', explain = false } = address;
  const mode: SearchMode = address.mode ?? 'hybrid';
  const scope = scopeOf(address);
  const navigate = useNavigate({ from: '/p/$project/search' });
  useTitle(t.search.title);
  const [text, setText] = useState(q);
  const [limit, setLimit] = useState(PAGE);
  // The address follows what is typed, so that going back finds the results again.
  useEffect(() => {
    const timer = setTimeout(() => {
      if (text.trim() === q) return;
      setLimit(PAGE);
      void navigate({ search: (before) => ({ ...before, q: text.trim() || undefined }), replace: true });
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [navigate, q, text]);

  const { data, error, refetch, isFetching } = useQuery({
    queryKey: ['search', project, q, mode, scope, explain, limit],
    enabled: q !== '',
    queryFn: ({ signal }) => {
      const body = { query: q, project_id: project, mode, limit, offset: 0, explain, ...(scope && { scope }) };
      return dataOf(api.POST('/v1/api/search', { body, signal }));
    },
    placeholderData: keepPreviousData,
  });
  const results = useDeferredValue(data?.results);
  return (
    <div className="page search">
      <h1 className="hidden-visually">{t.search.title}</h1>
      <SearchBox
        text={text}
        onText={setText}
        searched={[text, ...(data?.corrections ?? []).map(({ to }) => to)].join(' ')}
        results={q === '' ? [] : (results ?? [])}
        project={project}
        below={
          <>
            <Filters
              project={project}
              address={address}
              onChange={(change) => {
                setLimit(PAGE);
                void navigate({ search: (before) => readAddress({ ...before, ...change }) });
              }}
            />
            {q === '' && <p className="soft">{t.search.idle}</p>}
            {q !== '' && data === undefined && error === null && <Loading lines={6} />}
            {q !== '' && error !== null && data === undefined && (
              <LoadProblem error={error} onRetry={() => void refetch()} />
            )}
            {q !== '' && data !== undefined && <Outcome answer={data} shown={results?.length ?? 0} busy={isFetching} />}
          </>
        }
      />
      {q !== '' && data !== undefined && data.total > data.results.length && (
        <button className="button" onClick={() => setLimit(limit + PAGE)}>
          {t.search.more}
        </button>
      )}
    </div>
  );
}

function Outcome({ answer, shown, busy }: { answer: SearchAnswer; shown: number; busy: boolean }) {
  const { outcome, degradation, total, corrections = [] } = answer;
  return (
    <>
      <DegradedLine degradation={degradation} kind="search" />
      {corrections.length > 0 && (
        <p className="small" role="status">
          {t.search.corrected}{' '}
          {corrections.map(({ from, to }, index) => (
            <span key={from}>
              {index > 0 && ', '}
              <strong>{to}</strong> {t.search.insteadOf(from)}
            </span>
          ))}
        </p>
      )}
      <p className="small soft number" role="status" aria-busy={busy}>
        {shown > 0 && t.search.results(total)}
      </p>
      {shown === 0 && outcome === 'empty_project' && <Empty title={t.search.emptyProject} />}
      {shown === 0 && outcome === 'unavailable' && <Empty title={t.search.unavailable} />}
      {shown === 0 && (outcome === 'no_match' || outcome === 'found') && (
        <Empty title={t.search.none} what={t.search.noneWhat} />
      )}
    </>
  );
}

/** A combobox: the arrows move through the results, Enter opens one; the focus stays where one types. */
function SearchBox({
  text,
  searched,
  onText,
  results,
  project,
  below,
}: {
  text: string;
  /** What is typed, with the words that were searched for in place of others. */
  searched: string;
  onText: (text: string) => void;
  results: SearchResult[];
  project: string;
  below: React.ReactNode;
}) {
  const id = useId();
  const navigate = useNavigate();
  const [active, setActive] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const at = Math.min(active, results.length - 1);
  const open = (result: SearchResult | undefined) => {
    if (result === undefined) return;
    const { document, start, end } = result;
    void navigate({
      to: '/p/$project/documents/read/$',
      params: { project, _splat: document },
      search: { start, end },
    });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && results.length > 0) {
      event.preventDefault();
      const next = Math.min(results.length - 1, Math.max(0, at + step));
      setActive(next);
      list.current?.children[next]?.scrollIntoView({ block: 'nearest' });
    } else if (event.key === 'Enter') {
      event.preventDefault();
      open(results[at]);
    } else if (event.key === 'Escape') onText('');
  };
  return (
    <>
      <input
        className="input search-input"
        type="search"
        role="combobox"
        aria-label={t.search.label}
        aria-expanded={results.length > 0}
        aria-controls={`${id}-list`}
        aria-activedescendant={results.length > 0 ? `${id}-${at}` : undefined}
        aria-autocomplete="list"
        placeholder={t.search.placeholder}
        // eslint-disable-next-line jsx-a11y-x/no-autofocus -- the page is for typing here, and `/` leads to it
        autoFocus
        autoComplete="off"
        value={text}
        onChange={({ target }) => {
          setActive(0);
          onText(target.value);
        }}
        onKeyDown={onKeyDown}
      />
      {below}
      <div id={`${id}-list`} ref={list} role="listbox" aria-label={t.search.title} className="results">
        {results.map((result, index) => (
          // The keys go to the combobox, which names the active option.
          // eslint-disable-next-line jsx-a11y-x/click-events-have-key-events, jsx-a11y-x/interactive-supports-focus -- see above
          <div
            key={`${result.document} ${result.chunk}`}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === at}
            className="result"
            onClick={() => open(result)}
            onMouseMove={() => setActive(index)}
          >
            <Result result={result} query={searched} />
          </div>
        ))}
      </div>
    </>
  );
}

const SHOWN_CHARS = 420;

const Result = memo(function Result({
  result: { document, title, text, highlights, page, explain },
  query,
}: {
  result: SearchResult;
  query: string;
}) {
  const pieces = useMemo(() => piecesOf(text, query, highlights, SHOWN_CHARS), [text, query, highlights]);
  return (
    <>
      <span className="result-title">{title || document}</span>
      <span className="small soft result-path">
        {document}
        {page !== undefined && `, ${t.chat.page(page)}`}
      </span>
      <span className="result-text">
        {pieces.map(({ text: piece, highlighted }, index) =>
          highlighted ? <mark key={index}>{piece}</mark> : <span key={index}>{piece}</span>,
        )}
      </span>
      {explain !== undefined && <span className="small soft result-why">{whyText(explain)}</span>}
    </>
  );
});

function whyText({ lists, words, meaning }: NonNullable<SearchResult['explain']>): string {
  return [
    ...lists.map(({ list, place }) => t.search.lists[list](place)),
    ...(words.length > 0 ? [t.search.hasWords(words.join(', '))] : []),
    ...(meaning === null ? [] : [t.search.nearness(meaning)]),
  ].join(' · ');
}
