import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { documentsQuery } from '../documents/documents-query.ts';
import { foldersOf } from '../documents/folders.ts';
import { Dialog } from '../layout/Dialog.tsx';
import { t } from '../texts/en.ts';

/** As many as the backend takes. */
const MOST = 100;
/** A longer list is for the filter. */
const LISTED = 60;

/** The folders and documents that questions are about; none: the whole project. */
export default function ScopeDialog({
  project,
  paths,
  onChoose,
  onClose,
}: {
  project: string;
  paths: readonly string[];
  onChoose: (paths: string[]) => void;
  onClose: () => void;
}) {
  const { data = [], error } = useQuery(documentsQuery(project));
  const [chosen, setChosen] = useState(paths);
  const [filter, setFilter] = useState('');
  const all = useMemo(() => [...foldersOf(data), ...data.map(({ path }) => path)], [data]);
  const found = all.filter((path) => path.toLowerCase().includes(filter.trim().toLowerCase()));
  const listed = [...chosen, ...found.filter((path) => !chosen.includes(path)).slice(0, LISTED)];
  const toggle = (path: string, on: boolean) =>
    setChosen(on ? [...chosen, path] : chosen.filter((other) => other !== path));
  return (
    <Dialog open title={t.chat.scopeTitle} what={t.chat.scopeWhat} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          onChoose([...chosen]);
          onClose();
        }}
      >
        <input
          className="input"
          type="search"
          aria-label={t.chat.scopeFilter}
          placeholder={t.chat.scopeFilter}
          value={filter}
          onChange={({ target }) => setFilter(target.value)}
        />
        {error !== null && <p className="form-problem">{error.message}</p>}
        <ul className="plain-list scope-list">
          {listed.map((path) => (
            <li key={path}>
              <label className="scope-choice">
                <input
                  type="checkbox"
                  checked={chosen.includes(path)}
                  disabled={chosen.length >= MOST && !chosen.includes(path)}
                  onChange={({ target }) => toggle(path, target.checked)}
                />
                <span>{path}</span>
              </label>
            </li>
          ))}
        </ul>
        {found.length > LISTED && <p className="small soft">{t.chat.scopeMore(found.length)}</p>}
        <div className="row">
          <button className="button button-primary">
            {chosen.length === 0 ? t.chat.scopeAskWhole : t.chat.scopeAskChosen}
          </button>
          {chosen.length > 0 && (
            <button type="button" className="button button-quiet" onClick={() => setChosen([])}>
              {t.chat.scopeClear}
            </button>
          )}
        </div>
      </form>
    </Dialog>
  );
}
