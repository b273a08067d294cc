import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { type DragEvent, useDeferredValue, useMemo, useState } from 'react';
import type { DocumentInfo } from '../api/shapes.ts';
import { Empty, Loading, LoadProblem } from '../layout/Problems.tsx';
import { useTitle } from '../layout/title.ts';
import { t } from '../texts/en.ts';
import { AddDocuments } from './AddDocuments.tsx';
import { DocumentRows } from './DocumentRows.tsx';
import { hiddenId, useHidden } from './carry-out.ts';
import { documentsQuery, indexQuery } from './documents-query.ts';
import { droppedFiles } from './dropped-files.ts';
import { tagsOf } from './tags.ts';
import { UploadList } from './UploadList.tsx';
import { uploadsOf } from './uploads.ts';
import './documents.css';

export function DocumentsPage() {
  const { project } = useParams({ from: '/shell/p/$project/documents' });
  const { folder = '', tag = '' } = useSearch({ from: '/shell/p/$project/documents' });
  useTitle(t.documents.title);
  const [over, setOver] = useState(false);
  const [filter, setFilter] = useState('');
  // The field shows the input at once; the list, of up to ten thousand paths, is filtered afterwards.
  const wanted = useDeferredValue(filter.trim().toLowerCase());
  const { data: listed, error, refetch } = useQuery(documentsQuery(project));
  const hidden = useHidden();
  const data = useMemo(
    () =>
      hidden.size === 0
        ? listed
        : listed?.filter((document) => !hidden.has(hiddenId(project, { path: document.path }))),
    [listed, hidden, project],
  );

  const onDrop = async (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    uploadsOf(project).add(await droppedFiles(event.dataTransfer.items));
  };
  return (
    // A drop is a short way for a mouse; the buttons do the same.
    // eslint-disable-next-line jsx-a11y-x/no-static-element-interactions -- see above
    <div
      className={over ? 'page documents drop-here' : 'page documents'}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => void onDrop(event)}
    >
      <header className="row spread">
        <h1>{t.documents.title}</h1>
        <AddDocuments project={project} />
      </header>
      <UploadList project={project} />
      {data === undefined && error === null && <Loading lines={8} />}
      {data === undefined && error !== null && <LoadProblem error={error} onRetry={() => void refetch()} />}
      {data?.length === 0 && (
        <Empty title={t.documents.empty} what={t.documents.emptyWhat}>
          <p className="soft small">{t.documents.drop}</p>
          <p className="small">
            <Link to="/p/$project/documents/trash" params={{ project }}>
              {t.trash.title}
            </Link>
          </p>
        </Empty>
      )}
      {data !== undefined && data.length > 0 && (
        <>
          <div className="row spread">
            <div className="row documents-filters">
              <input
                className="input documents-filter"
                type="search"
                aria-label={t.documents.filter}
                placeholder={t.documents.filter}
                value={filter}
                onChange={({ target }) => setFilter(target.value)}
              />
              <TagChoice project={project} documents={data} tag={tag} />
            </div>
            <IndexState project={project} />
          </div>
          <DocumentRows project={project} documents={data} folder={folder} filter={{ text: wanted, tag }} />
        </>
      )}
    </div>
  );
}

/** Limits the list to the documents with one tag. A project without tags does not have it. */
function TagChoice({ project, documents, tag }: { project: string; documents: readonly DocumentInfo[]; tag: string }) {
  const navigate = useNavigate();
  const known = useMemo(() => tagsOf(documents), [documents]);
  if (known.length === 0 && tag === '') return null;
  const show = (chosen: string) =>
    void navigate({
      to: '/p/$project/documents',
      params: { project },
      search: ({ folder }) => ({ ...(folder !== undefined && { folder }), ...(chosen !== '' && { tag: chosen }) }),
    });
  return (
    <select className="input" aria-label={t.tags.filter} value={tag} onChange={({ target }) => show(target.value)}>
      <option value="">{t.tags.any}</option>
      {[...new Set(tag === '' ? known : [...known, tag])].map((name) => (
        <option key={name}>{name}</option>
      ))}
    </select>
  );
}

function IndexState({ project }: { project: string }) {
  const { data, error } = useQuery(indexQuery(project));
  if (data === undefined && error === null) return null;
  return (
    <p className="small soft" role="status">
      {data === undefined
        ? t.documents.indexAway
        : data.queued > 0
          ? t.documents.indexing(data.queued)
          : t.documents.indexed}
    </p>
  );
}
