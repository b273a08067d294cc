import { useId } from 'react';
import type { DocumentInfo } from '../api/shapes.ts';
import { Dialog } from '../layout/Dialog.tsx';
import { t } from '../texts/en.ts';
import { KnownTags } from './TagEditor.tsx';
import { tagDocuments, tagsIn } from './tags.ts';

/** Adds tags to many documents. */
export default function TagDialog({
  project,
  documents,
  onClose,
}: {
  project: string;
  documents: readonly DocumentInfo[];
  onClose: () => void;
}) {
  const id = useId();
  return (
    <Dialog open title={t.tags.of(documents.length)} what={t.tags.what} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          const added = tagsIn(new FormData(event.currentTarget).get('tags') as string);
          if (added.length > 0) tagDocuments(project, documents, added);
          onClose();
        }}
      >
        <div className="field">
          <label htmlFor={id}>{t.tags.title}</label>
          <input
            className="input"
            id={id}
            name="tags"
            list={`${id}-known`}
            required
            maxLength={500}
            autoComplete="off"
          />
          <KnownTags id={`${id}-known`} project={project} />
        </div>
        <button className="button button-primary">{t.tags.add}</button>
      </form>
    </Dialog>
  );
}
