import { Link } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { Suspense, useMemo, useRef, useState } from 'react';
import type { DocumentInfo } from '../api/shapes.ts';
import { RowMenu, type RowMenuProps } from '../layout/RowMenu.tsx';
import { Empty } from '../layout/Problems.tsx';
import { t } from '../texts/en.ts';
import { formatAgo, formatBytes, formatDateTime } from '../texts/format.ts';
import { deleteWithUndo } from './delete-document.ts';
import { downloadOriginal } from './documents-query.ts';
import { entriesIn, type FolderEntry } from './folders.ts';
import { nameOf } from './paths.ts';
import { warningText } from './Warnings.tsx';
import { lazily } from '../layout/lazily.ts';

const MoveDialog = lazily(() => import('./MoveDialog.tsx'));

const ROW_PX = 52;

/** A folder of a project, also of one with ten thousand documents: only the rows in sight are in the page. */
export function DocumentRows({
  project,
  documents,
  folder,
  filter,
}: {
  project: string;
  documents: readonly DocumentInfo[];
  folder: string;
  filter: string;
}) {
  const [deleted, setDeleted] = useState<ReadonlySet<string>>(new Set());
  const entries = useMemo(
    () =>
      entriesIn(deleted.size === 0 ? documents : documents.filter(({ path }) => !deleted.has(path)), folder, filter),
    [documents, deleted, folder, filter],
  );
  const place = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: entries.length,
    getScrollElement: () => place.current,
    estimateSize: () => ROW_PX,
    overscan: 8,
  });
  const hide = (path: string, hidden: boolean) =>
    setDeleted((before) => {
      const after = new Set(before);
      if (hidden) after.add(path);
      else after.delete(path);
      return after;
    });

  return (
    <div className="folder">
      {folder !== '' && <Crumbs project={project} folder={folder} />}
      {entries.length === 0 && <Empty title={filter === '' ? t.documents.emptyFolder : t.documents.noneFound} />}
      <div ref={place} className="document-rows">
        <ul className="plain-list" style={{ height: rows.getTotalSize(), position: 'relative' }}>
          {rows.getVirtualItems().map(({ index, start }) => {
            const entry = entries[index];
            return entry === undefined ? null : (
              <li key={index} className="document-row" style={{ transform: `translateY(${start}px)` }}>
                <EntryRow project={project} entry={entry} flat={filter !== ''} onHide={hide} />
              </li>
            );
          })}
        </ul>
      </div>
      <p className="small soft number">{t.documents.total(documents.length - deleted.size)}</p>
    </div>
  );
}

function EntryRow({
  project,
  entry,
  flat,
  onHide,
}: {
  project: string;
  entry: FolderEntry;
  flat: boolean;
  onHide: (path: string, hidden: boolean) => void;
}) {
  const [moving, setMoving] = useState(false);
  const path = entry.kind === 'folder' ? entry.path : entry.document.path;
  const move: RowMenuProps['actions'][number] = [t.documents.move, () => setMoving(true)];
  const dialog = moving && (
    <Suspense fallback={null}>
      <MoveDialog project={project} path={path} onClose={() => setMoving(false)} />
    </Suspense>
  );
  if (entry.kind === 'folder') {
    return (
      <>
        <Link
          className="document-name"
          to="/p/$project/documents"
          params={{ project }}
          search={{ folder: entry.path }}
          title={entry.path}
        >
          {entry.name}/
        </Link>
        <span className="small soft number">{t.documents.folder(entry.documents)}</span>
        <RowMenu label={t.documents.actions(path)} actions={[move]} />
        {dialog}
      </>
    );
  }
  const { title, bytes, updated_at, warnings = [] } = entry.document;
  return (
    <>
      <Link className="document-name" to="/p/$project/documents/read/$" params={{ project, _splat: path }} title={path}>
        <span>{flat ? path : nameOf(path)}</span>
        {title !== '' && title !== path && title !== nameOf(path) && <span className="small soft">{title}</span>}
      </Link>
      {warnings.length > 0 && (
        <Link
          className="document-warnings small"
          to="/p/$project/documents/read/$"
          params={{ project, _splat: path }}
          title={warnings.map(warningText).join('\n')}
        >
          {t.documents.warned(warnings.length)}
        </Link>
      )}
      <span className="small soft number document-size">{formatBytes(bytes)}</span>
      <time className="small soft document-time" dateTime={updated_at} title={formatDateTime(updated_at)}>
        {formatAgo(updated_at)}
      </time>
      <RowMenu
        label={t.documents.actions(path)}
        actions={[
          [t.reading.original, () => downloadOriginal(project, path)],
          move,
          [t.documents.delete, () => deleteWithUndo(project, path, (hidden) => onHide(path, hidden))],
        ]}
      />
      {dialog}
    </>
  );
}

function Crumbs({ project, folder }: { project: string; folder: string }) {
  const names = folder.split('/').slice(0, -1);
  return (
    <nav className="crumbs" aria-label={t.documents.root}>
      <Link to="/p/$project/documents" params={{ project }}>
        {t.documents.root}
      </Link>
      {names.map((name, depth) => {
        const path = `${names.slice(0, depth + 1).join('/')}/`;
        return (
          <span key={path}>
            {' / '}
            <Link to="/p/$project/documents" params={{ project }} search={{ folder: path }}>
              {name}
            </Link>
          </span>
        );
      })}
    </nav>
  );
}
