import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { randomId } from '../api/random-id.ts';
import { Dialog } from '../layout/Dialog.tsx';
import { t } from '../texts/en.ts';
import { documentsQuery } from './documents-query.ts';
import { moveWithUndo } from './move-documents.ts';
import { PathField } from './PathField.tsx';
import { moveTarget } from './paths.ts';

/** Gives a document, or a folder with all documents in it, another path. */
export default function MoveDialog({
  project,
  path,
  onMoved = () => undefined,
  onBack = () => undefined,
  onClose,
}: {
  project: string;
  path: string;
  onMoved?: (to: string) => void;
  onBack?: (to: string) => void;
  onClose: () => void;
}) {
  const [key] = useState(randomId);
  const [typed, setTyped] = useState(path);
  const { data = [] } = useQuery(documentsQuery(project));
  const to = moveTarget(path, typed);
  const moving = useMutation({
    mutationFn: (updateLinks: boolean) =>
      moveWithUndo(project, { from: path, to, updateLinks }, `${key}:${to}`, () => onBack(to)),
    onSuccess: () => {
      onClose();
      onMoved(to);
    },
  });
  return (
    <Dialog open title={t.documents.move} what={t.documents.moveWhat(path.endsWith('/'))} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          moving.mutate(new FormData(event.currentTarget).has('links'));
        }}
      >
        <PathField
          label={t.documents.newPlace}
          documents={data}
          value={typed}
          onChange={setTyped}
          maxLength={1000}
          required
        />
        <label className="choice">
          <input type="checkbox" name="links" defaultChecked />
          {t.documents.moveLinks}
        </label>
        {moving.error !== null && (
          <p className="form-problem" role="alert">
            {moving.error.message}
          </p>
        )}
        <div className="row">
          <button className="button button-primary" disabled={moving.isPending || to === path}>
            {t.documents.moveNow}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
