import { useMemo, useState } from 'react';
import type { DocumentInfo } from '../api/shapes.ts';
import { Dialog } from '../layout/Dialog.tsx';
import { t } from '../texts/en.ts';
import { folderTyped, moveSeveral, movesInto } from './move-several.ts';
import { PathField } from './PathField.tsx';

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
  const [typed, setTyped] = useState('');
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
        <PathField
          label={t.documents.toFolder}
          documents={documents}
          value={typed}
          onChange={setTyped}
          maxLength={250}
          placeholder={t.documents.topFolder}
        />
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
