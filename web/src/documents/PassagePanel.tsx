import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Suspense, useEffect, useMemo, useRef, useState } from 'react';
import type { ChatSource } from '../api/shapes.ts';
import { Loading } from '../layout/Problems.tsx';
import { t } from '../texts/en.ts';
import { DocumentText } from './DocumentText.tsx';
import { documentQuery, originalAddress } from './documents-query.ts';
import { excerptAround } from './excerpt.ts';
import { locate } from './paths.ts';
import './passage.css';
import { lazily } from '../layout/lazily.ts';

const PdfPages = lazily(() => import('../pdf/PdfPages.tsx'));

/** How much of the document stands around the passage: enough to read on, little enough to be there at once. */
const AROUND_CHARS = 6000;

/** A cited passage, marked in its document, beside what cites it. */
export default function PassagePanel({
  project,
  source,
  number,
  onClose,
}: {
  project: string;
  source: ChatSource;
  number: number;
  onClose: () => void;
}) {
  const { data, error } = useQuery(documentQuery(project, source.document));
  const range = data === undefined ? undefined : locate(data.text, source.text);
  const text = data?.text;
  const excerpt = useMemo(
    () => (text === undefined ? undefined : locateExcerpt(text, source.text)),
    [text, source.text],
  );
  const isPdf = source.page !== undefined && /\.pdf$/i.test(source.document);
  const [asText, setAsText] = useState(!isPdf);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => event.key === 'Escape' && onClose();
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [onClose]);

  return (
    <aside className={asText ? 'passage' : 'passage passage-pages'} aria-labelledby="passage-title">
      <header className="passage-head">
        <h2 id="passage-title" tabIndex={-1} ref={heading}>
          <span className="source-number number">{number}</span> {source.title || source.document}
        </h2>
        <button className="button button-quiet" onClick={onClose}>
          {t.app.close}
        </button>
        <p className="soft small passage-path">
          {source.document}
          {source.page !== undefined && `, ${t.chat.page(source.page)}`}{' '}
          <Link
            to="/p/$project/documents/read/$"
            params={{ project, _splat: source.document }}
            search={asText ? (range ?? {}) : { view: 'pages', page: source.page }}
          >
            {t.reading.openDocument}
          </Link>
          {source.page !== undefined && (
            <>
              {' '}
              <a href={originalAddress(project, source.document)} download>
                {t.reading.original}
              </a>
            </>
          )}
        </p>
        {isPdf && <Views asText={asText} onChange={setAsText} />}
      </header>
      {/* eslint-disable-next-line jsx-a11y-x/no-noninteractive-tabindex -- a long passage is scrolled by keyboard too */}
      <div className="passage-body" tabIndex={0} role="region" aria-label={t.reading.passage}>
        {!asText && (
          <Suspense fallback={<Loading lines={8} />}>
            <PdfPages project={project} path={source.document} page={source.page ?? 1} passage={source.text} />
          </Suspense>
        )}
        {asText && data === undefined && error === null && <Loading lines={8} />}
        {asText && (error !== null || (data !== undefined && excerpt === undefined)) && (
          <>
            <p className="state-line">{error === null ? t.reading.changedSince : error.message}</p>
            <blockquote className="passage-quote">{source.text}</blockquote>
          </>
        )}
        {asText && data !== undefined && excerpt !== undefined && (
          <DocumentText project={project} path={source.document} markdown={data.markdown} {...excerpt} />
        )}
      </div>
    </aside>
  );
}

/** Switches between the page of a PDF and the text that was extracted from it. */
function Views({ asText, onChange }: { asText: boolean; onChange: (asText: boolean) => void }) {
  return (
    <div className="passage-views" role="group" aria-label={t.pdf.views}>
      {[false, true].map((text) => (
        <button
          key={String(text)}
          className="button button-quiet button-small"
          aria-pressed={asText === text}
          onClick={() => onChange(text)}
        >
          {text ? t.pdf.asText : t.pdf.asPage}
        </button>
      ))}
    </div>
  );
}

function locateExcerpt(text: string, passage: string) {
  const range = locate(text, passage);
  return range === undefined ? undefined : excerptAround(text, range, AROUND_CHARS);
}
