import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { ApiProblem, dataOf, watchedFetch, problemOf } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import type { StoredDocument } from '../api/shapes.ts';
import { keepDraft, readDraft } from '../session/drafts.ts';
import { t } from '../texts/en.ts';
import type { OpenedDocument } from './documents-query.ts';

/** Edits a text in place. What is not saved is kept on the device; a change by somebody else is not written over unasked. */
export function Editor({
  project,
  path,
  document,
}: {
  project: string;
  path: string;
  document: OpenedDocument | undefined;
}) {
  const name = `document:${project}:${path}`;
  const [base] = useState(document);
  const [text, setText] = useState(() => readDraft(name) ?? document?.text ?? '');
  const navigate = useNavigate();
  const changed = text !== (base?.text ?? '');
  const read = () =>
    void navigate({ to: '/p/$project/documents/read/$', params: { project, _splat: path }, search: {} });
  const saving = useMutation({
    mutationFn: (force: boolean) => save(project, path, text, force ? undefined : (base?.version ?? '*')),
    onSuccess: async () => {
      keepDraft(name, undefined);
      for (const queryKey of [
        ['document', project],
        ['documents', project],
        ['history', project],
        ['related', project],
      ]) {
        await queries.invalidateQueries({ queryKey });
      }
      read();
    },
  });
  const conflict = saving.error instanceof ApiProblem && saving.error.status === 412;
  return (
    <form
      className="editor"
      onSubmit={(event) => {
        event.preventDefault();
        saving.mutate(false);
      }}
    >
      <textarea
        className="editor-text"
        aria-label={t.reading.editor}
        value={text}
        spellCheck
        onChange={({ target: { value } }) => {
          setText(value);
          keepDraft(name, value);
        }}
      />
      {saving.error !== null && (
        <div className="state-line" role="alert">
          <p>{conflict ? t.reading.conflict : saving.error.message}</p>
          {conflict && <p className="soft">{t.reading.conflictWhat}</p>}
          {conflict && (
            <button type="button" className="button button-small" onClick={() => saving.mutate(true)}>
              {t.reading.overwrite}
            </button>
          )}
        </div>
      )}
      <div className="row">
        <button className="button button-primary" disabled={!changed || saving.isPending}>
          {saving.isPending ? t.reading.saving : t.reading.save}
        </button>
        <button
          type="button"
          className="button"
          onClick={() => {
            keepDraft(name, undefined);
            read();
          }}
        >
          {t.reading.discard}
        </button>
        {changed && <span className="soft small">{t.reading.draftKept}</span>}
      </div>
    </form>
  );
}

/** @param expected the version to write over; `*`: there must be none yet; undefined: whatever there is */
function save(project: string, path: string, text: string, expected: string | undefined): Promise<StoredDocument> {
  const condition: Record<string, string> =
    expected === undefined ? {} : expected === '*' ? { 'if-none-match': '*' } : { 'if-match': `"${expected}"` };
  return dataOf(
    (async () => {
      const address = `/v1/api/projects/${encodeURIComponent(project)}/documents/${encodeURIComponent(path)}`;
      // An empty type lets the server go by the name, as for an upload.
      const headers = { 'content-type': 'application/octet-stream', ...condition };
      const response = await watchedFetch(address, { method: 'PUT', headers, body: text });
      const body: unknown = await response.json().catch(() => undefined);
      if (!response.ok) throw problemOf(response.status, body);
      return { data: body as StoredDocument, response };
    })(),
  );
}
