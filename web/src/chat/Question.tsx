import { useEffect, useRef, useState } from 'react';
import { t } from '../texts/en.ts';

export function Question({
  text,
  busy,
  onEdit,
  onToComposer,
}: {
  text: string;
  busy: boolean;
  /** Asks the edited question in the place of this one; undefined where no answer came to this one. */
  onEdit: ((text: string) => void) | undefined;
  onToComposer: () => void;
}) {
  const [editing, setEditing] = useState(false);
  if (editing && onEdit !== undefined) {
    return <EditedQuestion text={text} onAsk={onEdit} onClose={() => setEditing(false)} />;
  }
  return (
    <article className="question" aria-label={t.chat.you}>
      <p className="question-text">{text}</p>
      {!busy && (
        <div className="turn-actions">
          <button
            className="button button-quiet button-small"
            onClick={() => (onEdit === undefined ? onToComposer() : setEditing(true))}
          >
            {t.chat.edit}
          </button>
        </div>
      )}
    </article>
  );
}

function EditedQuestion({
  text,
  onAsk,
  onClose,
}: {
  text: string;
  onAsk: (text: string) => void;
  onClose: () => void;
}) {
  const [edited, setEdited] = useState(text);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    // The turn has grown, and the end of the turns is kept in sight; that is done in the next frame.
    let frame = requestAnimationFrame(() => {
      frame = requestAnimationFrame(() => form.current?.scrollIntoView({ block: 'nearest' }));
    });
    return () => cancelAnimationFrame(frame);
  }, []);
  return (
    <form
      ref={form}
      className="question-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (edited.trim() === '') return;
        onClose();
        onAsk(edited.trim());
      }}
    >
      <textarea
        className="input"
        aria-label={t.chat.editedQuestion}
        // eslint-disable-next-line jsx-a11y-x/no-autofocus -- it takes the place of the text that was chosen for editing
        autoFocus
        rows={3}
        value={edited}
        onChange={({ target }) => setEdited(target.value)}
        onKeyDown={({ key }) => key === 'Escape' && onClose()}
      />
      <div className="row">
        <button className="button button-primary button-small" disabled={edited.trim() === ''}>
          {t.chat.askInstead}
        </button>
        <button type="button" className="button button-quiet button-small" onClick={onClose}>
          {t.chat.cancel}
        </button>
        <span className="small soft">{t.chat.bothKept}</span>
      </div>
    </form>
  );
}
