import { Link } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { Suspense, useMemo, useRef, useState } from 'react';
import type { DocumentInfo } from '../api/shapes.ts';
import { RowMenu, type RowMenuProps } from '../layout/RowMenu.tsx';
import { Empty } from '../layout/Problems.tsx';
import { t } from '../texts/en.ts';
import { formatAgo, formatBytes, formatDateTime } from '../texts/format.ts';
import { type Choice, useChoice, useFocusAfterRemoval } from './choice.ts';
import { ChoiceBar, RowChoice } from './ChoiceBar.tsx';
import { trashDocuments } from './document-removal.ts';
import { downloadOriginal } from './documents-query.ts';
import { type DocumentFilter, documentsUnder, entriesIn, type FolderEntry } from './folders.ts';
import { nameOf } from './paths.ts';
import { warningText } from './Warnings.tsx';
import { lazily } from '../layout/lazily.ts';

const MoveDialog = lazily(() => import('./MoveDialog.tsx'));
const MoveSeveralDialog = lazily(() => import('./MoveSeveralDialog.tsx'));
const TagDialog = lazily(() => import('./TagDialog.tsx'));

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
  filter: DocumentFilter;
}) {
  const { text, tag } = filter;
  const entries = useMemo(() => entriesIn(documents, folder, { text, tag }), [documents, folder, text, tag]);
  const ids = useMemo(() => entries.map(pathOf), [entries]);
  const choice = useChoice(ids);
  const place = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: entries.length,
    getScrollElement: () => place.current,
    estimateSize: () => ROW_PX,
    overscan: 8,
  });
  const removing = useFocusAfterRemoval(place, ids);
  const isFlat = text !== '' || tag !== '';
  return (
    <div className="folder">
      {folder !== '' && <Crumbs project={project} folder={folder} />}
      {entries.length === 0 ? (
        <Empty title={isFlat ? t.documents.noneFound : t.documents.emptyFolder} />
      ) : (
        <ChosenDocuments project={project} documents={documents} choice={choice} listed={ids.length} />
      )}
      <div ref={place} className="document-rows">
        <ul className="plain-list" style={{ height: rows.getTotalSize(), position: 'relative' }}>
          {rows.getVirtualItems().map(({ index, start }) => {
            const entry = entries[index];
            return entry === undefined ? null : (
              <li
                key={pathOf(entry)}
                data-index={index}
                className={choice.has(pathOf(entry)) ? 'document-row document-chosen' : 'document-row'}
                style={{ transform: `translateY(${start}px)` }}
              >
                <RowChoice choice={choice} id={pathOf(entry)} />
                <EntryRow
                  project={project}
                  entry={entry}
                  flat={isFlat}
                  onDelete={() => {
                    removing(index);
                    trash(project, documents, [pathOf(entry)]);
                  }}
                />
              </li>
            );
          })}
        </ul>
      </div>
      <p className="row spread small soft number">
        {t.documents.total(documents.length)}
        <Link to="/p/$project/documents/trash" params={{ project }}>
          {t.trash.title}
        </Link>
      </p>
    </div>
  );
}

const pathOf = (entry: FolderEntry) => (entry.kind === 'folder' ? entry.path : entry.document.path);

/** What can be done with the rows that are chosen; a folder stands for the documents in it. */
function ChosenDocuments({
  project,
  documents,
  choice,
  listed,
}: {
  project: string;
  documents: readonly DocumentInfo[];
  choice: Choice;
  listed: number;
}) {
  const [tagged, setTagged] = useState<readonly DocumentInfo[]>();
  const [moved, setMoved] = useState<readonly string[]>();
  return (
    <>
      <ChoiceBar
        choice={choice}
        listed={listed}
        actions={[
          { text: t.documents.moveChosen, run: setMoved },
          { text: t.tags.add, run: (ids) => setTagged(documentsUnder(documents, ids)) },
          { text: t.documents.delete, run: (ids) => trash(project, documents, ids), danger: true },
        ]}
      />
      {tagged !== undefined && (
        <Suspense fallback={null}>
          <TagDialog project={project} documents={tagged} onClose={() => setTagged(undefined)} />
        </Suspense>
      )}
      {moved !== undefined && (
        <Suspense fallback={null}>
          <MoveSeveralDialog
            project={project}
            documents={documents}
            chosen={moved}
            onClose={() => setMoved(undefined)}
          />
        </Suspense>
      )}
    </>
  );
}

/** Puts documents, and all documents of folders, into the trash. */
function trash(project: string, documents: readonly DocumentInfo[], chosen: readonly string[]): void {
  const paths = documentsUnder(documents, chosen).map(({ path }) => path);
  trashDocuments(project, paths, chosen.length === 1 ? chosen[0] : undefined);
}

function EntryRow({
  project,
  entry,
  flat,
  onDelete,
}: {
  project: string;
  entry: FolderEntry;
  flat: boolean;
  onDelete: () => void;
}) {
  const [moving, setMoving] = useState(false);
  const path = pathOf(entry);
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
        <RowMenu label={t.documents.actions(path)} actions={[move, [t.documents.delete, onDelete]]} />
        {dialog}
      </>
    );
  }
  const { title, bytes, updated_at, warnings = [], tags = [] } = entry.document;
  const isTitled = title !== '' && title !== path && title !== nameOf(path);
  const hashed = tags.map((tag) => `#${tag}`).join(' ');
  return (
    <>
      <Link className="document-name" to="/p/$project/documents/read/$" params={{ project, _splat: path }} title={path}>
        <span>{flat ? path : nameOf(path)}</span>
        {(isTitled || hashed !== '') && (
          <span className="small soft">
            {hashed !== '' && <span className="row-tags">{hashed}</span>} {isTitled && title}
          </span>
        )}
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
        actions={[[t.reading.original, () => downloadOriginal(project, path)], move, [t.documents.delete, onDelete]]}
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
