import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { api, dataOf } from '../api/client.ts';
import { blocksOf } from '../markdown/blocks.ts';
import type { Range } from '../markdown/mark.ts';
import { t } from '../texts/en.ts';
import { DocumentText } from './DocumentText.tsx';
import type { OpenedDocument } from './documents-query.ts';

export function Reading({
  project,
  path,
  document,
  range,
}: {
  project: string;
  path: string;
  document: OpenedDocument;
  range: Range | undefined;
}) {
  const headings = useMemo(() => (document.markdown ? headingsOf(document.text) : []), [document]);
  return (
    <div className="reading-columns">
      <article className="reading-text">
        <DocumentText project={project} path={path} text={document.text} markdown={document.markdown} range={range} />
      </article>
      <aside className="reading-side" aria-label={t.reading.outline}>
        {headings.length > 1 && <Outline headings={headings} />}
        <Related project={project} path={path} />
        <Link className="small" to="/p/$project/graph" params={{ project }} search={{ from: path }}>
          {t.graph.fromHere}
        </Link>
      </aside>
    </div>
  );
}

interface Heading {
  text: string;
  depth: number;
}

const HEADING = /^(#{1,4})\s+(.+?)\s*#*\s*$/;
const OUTLINED = '.reading-text :is(h1, h2, h3, h4)';

function headingsOf(text: string): Heading[] {
  return blocksOf(text).flatMap((block) => {
    const [, hashes, title] = HEADING.exec(block.text.trimStart().split('\n', 1)[0] ?? '') ?? [];
    return hashes === undefined || title === undefined
      ? []
      : [{ depth: hashes.length, text: title.replace(/[`*_]|\[([^\]]*)\]\([^)]*\)/g, '$1') }];
  });
}

function Outline({ headings }: { headings: Heading[] }) {
  const show = ({ text }: Heading) => {
    const place = [...document.querySelectorAll(OUTLINED)].find((heading) => heading.textContent === text);
    place?.scrollIntoView({ block: 'start' });
  };
  return (
    <nav aria-labelledby="outline">
      <h2 id="outline" className="small soft">
        {t.reading.outline}
      </h2>
      <ul className="plain-list outline">
        {headings.map((heading, index) => (
          <li key={index} className={`outline-${heading.depth}`}>
            <button onClick={() => show(heading)}>{heading.text}</button>
          </li>
        ))}
      </ul>
    </nav>
  );
}

const RELATED = 6;

function Related({ project, path }: { project: string; path: string }) {
  const { data } = useQuery({
    queryKey: ['related', project, path],
    queryFn: async () => {
      const params = { path: { project_id: project }, query: { path, limit: RELATED } };
      return (await dataOf(api.GET('/v1/api/projects/{project_id}/related', { params }))).related;
    },
    retry: false,
  });
  if (data === undefined || data.length === 0) return null;
  return (
    <nav aria-labelledby="related">
      <h2 id="related" className="small soft">
        {t.reading.related}
      </h2>
      <ul className="plain-list related">
        {data.map(({ path: other, reasons }) => (
          <li key={other}>
            <Link to="/p/$project/documents/read/$" params={{ project, _splat: other }} title={reasons.join('; ')}>
              {other}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
