import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { type ReactNode, Suspense, useState } from 'react';
import { ApiProblem } from '../api/client.ts';
import { Loading, LoadProblem } from '../layout/Problems.tsx';
import { useTitle } from '../layout/title.ts';
import type { Range } from '../markdown/mark.ts';
import { READING_VIEWS, type ReadingView } from '../router.tsx';
import { t } from '../texts/en.ts';
import { trashDocuments } from './document-removal.ts';
import { documentInfoQuery, documentQuery, originalAddress, type OpenedDocument } from './documents-query.ts';
import { Editor } from './Editor.tsx';
import { folderOf, nameOf } from './paths.ts';
import { Reading } from './Reading.tsx';
import { TagEditor } from './TagEditor.tsx';
import { Warnings } from './Warnings.tsx';
import './reading.css';
import { lazily } from '../layout/lazily.ts';

const MoveDialog = lazily(() => import('./MoveDialog.tsx'));
const History = lazily(() => import('./History.tsx'));
const PdfPages = lazily(() => import('../pdf/PdfPages.tsx'));
const Blame = lazily(() => import('./Blame.tsx'));

export function ReadingPage() {
  const { project, _splat: path = '' } = useParams({ from: '/shell/p/$project/documents/read/$' });
  const { view = 'read', start, end, page } = useSearch({ from: '/shell/p/$project/documents/read/$' });
  useTitle(nameOf(path));
  return (
    <div className="page reading">
      <Head
        project={project}
        path={path}
        view={view}
        range={start === undefined || end === undefined ? undefined : { start, end }}
        page={page}
      />
      <Suspense fallback={<Loading lines={8} />}>
        {view === 'history' && <History key={path} project={project} path={path} />}
        {view === 'blame' && <Blame key={path} project={project} path={path} />}
        {view === 'pages' && <PdfPages key={path} project={project} path={path} page={page ?? 1} />}
        {view === 'edit' && (
          <Opened project={project} path={path} orNew>
            {(document) => <Editor key={path} project={project} path={path} document={document} />}
          </Opened>
        )}
        {view === 'read' && (
          <Opened project={project} path={path}>
            {(document) =>
              document !== undefined && (
                <Reading
                  key={path}
                  project={project}
                  path={path}
                  document={document}
                  range={start === undefined || end === undefined ? undefined : { start, end }}
                />
              )
            }
          </Opened>
        )}
      </Suspense>
    </div>
  );
}

/** @param orNew a document that does not exist is one to be written */
function Opened({
  project,
  path,
  orNew = false,
  children,
}: {
  project: string;
  path: string;
  orNew?: boolean;
  children: (document: OpenedDocument | undefined) => ReactNode;
}) {
  const { data, error, refetch } = useQuery(documentQuery(project, path));
  if (data !== undefined) return children(data);
  if (error === null) return <Loading lines={8} />;
  if (orNew && error instanceof ApiProblem && error.status === 404) return children(undefined);
  return <LoadProblem error={error} onRetry={() => void refetch()} />;
}

const VIEW_NAMES: Record<ReadingView, string> = {
  read: t.reading.read,
  pages: t.reading.pages,
  edit: t.reading.edit,
  history: t.reading.history,
  blame: t.reading.blame,
};

function Head({
  project,
  path,
  view,
  range,
  page,
}: {
  project: string;
  path: string;
  view: ReadingView;
  range: Range | undefined;
  page: number | undefined;
}) {
  const navigate = useNavigate();
  const [moving, setMoving] = useState(false);
  const { data: info } = useQuery(documentInfoQuery(project, path));
  const folder = folderOf(path);
  const views = READING_VIEWS.filter((name) => name !== 'pages' || info?.media_type === 'application/pdf');
  const remove = () => {
    void navigate({ to: '/p/$project/documents', params: { project } });
    trashDocuments(project, [path]);
  };
  const go = (place: string) =>
    void navigate({
      to: '/p/$project/documents/read/$',
      params: { project, _splat: place },
      search: view === 'read' ? {} : { view },
      replace: true,
    });
  // A person may have gone elsewhere before taking the move back.
  const goBack = (from: string) => decodeURIComponent(location.pathname).endsWith(`/read/${from}`) && go(path);
  return (
    <header className="reading-head">
      <p className="small">
        <Link to="/p/$project/documents" params={{ project }} search={folder === '' ? {} : { folder }}>
          {folder === '' ? t.documents.root : folder.slice(0, -1)}
        </Link>
      </p>
      <h1>{nameOf(path)}</h1>
      <nav className="reading-views" aria-label={nameOf(path)}>
        {views.map((name) => (
          <Link
            key={name}
            to="/p/$project/documents/read/$"
            params={{ project, _splat: path }}
            // The link of the current view keeps its passage or page.
            search={{ ...(name === 'read' ? {} : { view: name }), ...(name === view && { ...range, page }) }}
            // The views differ in the query alone, so that it must be the same and not only contained.
            activeOptions={{ exact: true }}
          >
            {VIEW_NAMES[name]}
          </Link>
        ))}
        <div className="reading-actions">
          <a className="button button-quiet button-small" href={originalAddress(project, path)} download>
            {t.reading.original}
          </a>
          <button className="button button-quiet button-small" aria-haspopup="dialog" onClick={() => setMoving(true)}>
            {t.documents.move}
          </button>
          <button className="button button-quiet button-small button-danger" onClick={remove}>
            {t.reading.delete}
          </button>
        </div>
      </nav>
      {moving && (
        <Suspense fallback={null}>
          <MoveDialog project={project} path={path} onMoved={go} onBack={goBack} onClose={() => setMoving(false)} />
        </Suspense>
      )}
      {info && <TagEditor key={path} project={project} info={info} />}
      <Warnings warnings={info?.warnings ?? []} />
    </header>
  );
}
