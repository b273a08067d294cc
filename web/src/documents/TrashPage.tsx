import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useDeferredValue, useMemo, useRef, useState } from 'react';
import { api, dataOf } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import type { TrashedDocument } from '../api/shapes.ts';
import { Dialog } from '../layout/Dialog.tsx';
import { Empty, Loading, LoadProblem } from '../layout/Problems.tsx';
import { useTitle } from '../layout/title.ts';
import { undoQueue } from '../layout/undo.ts';
import { t } from '../texts/en.ts';
import { formatAgo, formatDateTime, formatDaysUntil } from '../texts/format.ts';
import { hiddenId, useHidden } from './carry-out.ts';
import { useChoice, useFocusAfterRemoval } from './choice.ts';
import { ChoiceBar, RowChoice } from './ChoiceBar.tsx';
import { purgeFromTrash, restoreDocuments } from './document-removal.ts';
import { trashQuery } from './documents-query.ts';
import './documents.css';

const ROW_PX = 60;
const ROUTE = '/shell/p/$project/documents/trash';

/** The deleted documents of a project, which can be restored or removed for good. */
export function TrashPage() {
  const { project } = useParams({ from: ROUTE });
  useTitle(t.trash.title);
  const { data: listed, error, refetch } = useQuery(trashQuery(project));
  const hidden = useHidden();
  const data = useMemo(
    () => (hidden.size === 0 ? listed : listed?.filter((entry) => !hidden.has(hiddenId(project, entry)))),
    [listed, hidden, project],
  );
  return (
    <div className="page documents">
      <header className="row spread">
        <div>
          <p className="small">
            <Link to="/p/$project/documents" params={{ project }}>
              {t.documents.title}
            </Link>
          </p>
          <h1>{t.trash.title}</h1>
        </div>
        {data !== undefined && data.length > 0 && <EmptyTrash project={project} documents={data.length} />}
      </header>
      {data === undefined && error === null && <Loading lines={8} />}
      {data === undefined && error !== null && <LoadProblem error={error} onRetry={() => void refetch()} />}
      {data?.length === 0 && <Empty title={t.trash.empty} what={t.trash.emptyWhat} />}
      {data !== undefined && data.length > 0 && (
        <>
          <p className="soft">{t.trash.what}</p>
          <TrashRows project={project} entries={data} />
        </>
      )}
    </div>
  );
}

const idOf = ({ path, version }: TrashedDocument) => `${version} ${path}`;

function TrashRows({ project, entries }: { project: string; entries: readonly TrashedDocument[] }) {
  const [filter, setFilter] = useState('');
  const wanted = useDeferredValue(filter.trim().toLowerCase());
  const found = useMemo(() => entries.filter(({ path }) => path.toLowerCase().includes(wanted)), [entries, wanted]);
  const ids = useMemo(() => found.map(idOf), [found]);
  const choice = useChoice(ids);
  const entriesOf = (chosen: readonly string[]) => found.filter((entry) => chosen.includes(idOf(entry)));
  const [purging, setPurging] = useState<readonly TrashedDocument[]>();
  const place = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: found.length,
    getScrollElement: () => place.current,
    estimateSize: () => ROW_PX,
    overscan: 8,
  });
  const removing = useFocusAfterRemoval(place, ids);
  return (
    <div className="folder">
      <input
        className="input documents-filter"
        type="search"
        aria-label={t.trash.filter}
        placeholder={t.trash.filter}
        value={filter}
        onChange={({ target }) => setFilter(target.value)}
      />
      {found.length === 0 ? (
        <Empty title={t.trash.noneFound} />
      ) : (
        <ChoiceBar
          choice={choice}
          listed={ids.length}
          actions={[
            { text: t.trash.restore, run: (chosen) => restoreDocuments(project, entriesOf(chosen)) },
            { text: t.trash.purge, run: (chosen) => setPurging(entriesOf(chosen)), danger: true },
          ]}
        />
      )}
      <div ref={place} className="document-rows">
        <ul className="plain-list" style={{ height: rows.getTotalSize(), position: 'relative' }}>
          {rows.getVirtualItems().map(({ index, start }) => {
            const entry = found[index];
            return entry === undefined ? null : (
              <li
                key={idOf(entry)}
                data-index={index}
                className={
                  choice.has(idOf(entry)) ? 'trash-row document-row document-chosen' : 'trash-row document-row'
                }
                style={{ transform: `translateY(${start}px)` }}
              >
                <RowChoice choice={choice} id={idOf(entry)} name={entry.path} />
                <TrashRow
                  entry={entry}
                  onRestore={() => {
                    removing(index);
                    restoreDocuments(project, [entry]);
                  }}
                />
              </li>
            );
          })}
        </ul>
      </div>
      <p className="small soft number">{t.documents.total(entries.length)}</p>
      {purging !== undefined && (
        <ForGood
          documents={purging.length}
          onClose={() => setPurging(undefined)}
          onConfirm={() => {
            setPurging(undefined);
            purgeFromTrash(project, purging);
          }}
        />
      )}
    </div>
  );
}

function TrashRow({ entry, onRestore }: { entry: TrashedDocument; onRestore: () => void }) {
  const { path, deleted_at, expires_at } = entry;
  return (
    <>
      <span className="document-name" title={path}>
        <span>{path}</span>
        <span className="small soft">
          <time dateTime={expires_at} title={formatDateTime(expires_at)}>
            {t.trash.removedAt(formatDaysUntil(expires_at))}
          </time>
          {' · '}
          <time dateTime={deleted_at} title={formatDateTime(deleted_at)}>
            {t.trash.deletedAt(formatAgo(deleted_at))}
          </time>
        </span>
      </span>
      <button className="button button-small" aria-label={t.trash.restoreOf(path)} onClick={onRestore}>
        {t.trash.restore}
      </button>
    </>
  );
}

function EmptyTrash({ project, documents }: { project: string; documents: number }) {
  const [asking, setAsking] = useState(false);
  const emptying = useMutation({
    mutationFn: () =>
      dataOf(api.DELETE('/v1/api/projects/{project_id}/trash', { params: { path: { project_id: project } } })),
    onSuccess: ({ removed }) => undoQueue.say(t.trash.emptied(removed)),
    onError: ({ message }) => undoQueue.say(t.trash.notEmptied(message)),
    onSettled: () => queries.invalidateQueries({ queryKey: ['documents', project] }),
  });
  return (
    <>
      <button
        className="button button-danger"
        aria-haspopup="dialog"
        disabled={emptying.isPending}
        onClick={() => setAsking(true)}
      >
        {t.trash.emptyNow}
      </button>
      {asking && (
        <ForGood
          documents={documents}
          onClose={() => setAsking(false)}
          onConfirm={() => {
            setAsking(false);
            emptying.mutate();
          }}
        />
      )}
    </>
  );
}

/** Asks before something is removed that cannot be restored. */
function ForGood({ documents, onConfirm, onClose }: { documents: number; onConfirm: () => void; onClose: () => void }) {
  return (
    <Dialog open title={t.trash.purgeTitle(documents)} what={t.trash.purgeWhat} onClose={onClose}>
      <div className="row">
        <button className="button button-danger" onClick={onConfirm}>
          {t.trash.purge}
        </button>
      </div>
    </Dialog>
  );
}
