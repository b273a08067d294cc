import { useId, useMemo, useState } from 'react';
import type { DocumentInfo } from '../api/shapes.ts';
import { Dialog } from '../layout/Dialog.tsx';
import { t } from '../texts/en.ts';
import { foldersOf } from './folders.ts';
import { folderTyped, moveSeveral, movesInto } from './move-several.ts';

/** Moves the chosen documents and folders into a folder. */
export default function MoveSeveralDialog({
  project,
  documents,
  chosen,
  onClose,
}: {
  project: string;
  documents: readonly DocumentInfo[];
  chosen: readonly string[];
  onClose: () => void;
}) {
  const id = useId();
  const [typed, setTyped] = useState('');
  const known = useMemo(() => foldersOf(documents), [documents]);
  const folder = folderTyped(typed);
  const moves = useMemo(() => movesInto(documents, chosen, folder), [documents, chosen, folder]);
  return (
    <Dialog open title={t.documents.moveSeveral(chosen.length)} what={t.documents.moveSeveralWhat} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          const updateLinks = new FormData(event.currentTarget).has('links');
          moveSeveral(project, moves, { name: folder, updateLinks });
          onClose();
        }}
      >
        <div className="field">
          <label htmlFor={id}>{t.documents.toFolder}</label>
          <input
            className="input"
            id={id}
            list={`${id}-known`}
            value={typed}
            maxLength={250}
            autoComplete="off"
            spellCheck={false}
            placeholder={t.documents.topFolder}
            onChange={({ target }) => setTyped(target.value)}
          />
          <datalist id={`${id}-known`}>
            {known.map((path) => (
              <option key={path} value={path} />
            ))}
          </datalist>
        </div>
        <label className="choice">
          <input type="checkbox" name="links" defaultChecked />
          {t.documents.moveLinksSeveral}
        </label>
        <div className="row">
          <button className="button button-primary" disabled={moves.length === 0}>
            {t.documents.moveNow}
          </button>
          {moves.length === 0 && <span className="small soft">{t.documents.thereAlready}</span>}
        </div>
      </form>
    </Dialog>
  );
}
