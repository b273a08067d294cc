import { t } from '../texts/en.ts';
import { undoQueue, useUndoables } from './undo.ts';

export function UndoBar() {
  const undoables = useUndoables();
  return (
    <div className="undo-bar" role="status">
      {undoables.map(({ id, text, undo }) => (
        <div key={id} className="undo">
          <span>{text}</span>
          {undo !== undefined && (
            <button className="button button-small" onClick={() => undoQueue.undo(id)}>
              {t.undo.undo}
            </button>
          )}
          <button className="button button-quiet button-small" onClick={() => undoQueue.commit(id)}>
            {t.undo.dismiss}
          </button>
        </div>
      ))}
    </div>
  );
}
