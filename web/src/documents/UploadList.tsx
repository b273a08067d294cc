import { t } from '../texts/en.ts';
import { warningText } from './Warnings.tsx';
import { type Upload, uploadsOf, useUploads } from './uploads.ts';

/** The most lines that are shown; failures come first. */
const LINES = 60;
const ORDER: Upload['state'][] = ['failed', 'sending', 'waiting', 'queued', 'stored'];

export function UploadList({ project }: { project: string }) {
  const all = useUploads(project);
  if (all.length === 0) return null;
  const number = (...states: Upload['state'][]) => all.filter(({ state }) => states.includes(state)).length;
  const stored = number('stored', 'queued');
  const failed = number('failed');
  const open = number('waiting', 'sending');
  const lines = ORDER.flatMap((state) => all.filter((upload) => upload.state === state)).slice(0, LINES);
  return (
    <section className="uploads" aria-label={t.documents.uploads}>
      <div className="row spread">
        <p role="status" className="number">
          {open > 0 ? t.documents.uploading(stored, all.length) : t.documents.uploaded(stored, failed)}
        </p>
        <div className="row">
          {failed > 0 && open === 0 && (
            <button className="button button-small" onClick={() => uploadsOf(project).retryFailed()}>
              {t.documents.retryFailed}
            </button>
          )}
          {open === 0 && (
            <button className="button button-quiet button-small" onClick={() => uploadsOf(project).clear()}>
              {t.documents.clear}
            </button>
          )}
        </div>
      </div>
      <progress value={stored + failed} max={all.length} aria-label={t.documents.uploads} />
      <ul className="plain-list upload-lines">
        {lines.map((upload) => (
          <li key={upload.id} className={`upload upload-${upload.state}`}>
            <span className="upload-path">{upload.path}</span>
            <span className="small soft">{stateText(upload)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function stateText({ state, percent, problem, warnings = [] }: Upload): string {
  if (state === 'failed') {
    return [t.documents.failedUpload(problem?.detail ?? ''), t.help[problem?.code ?? ''] ?? ''].join(' ').trim();
  }
  if (state === 'sending') return t.documents.sending(percent);
  const said = { waiting: t.documents.waiting, stored: t.documents.stored, queued: t.documents.storedQueued }[state];
  return [said, ...warnings.map(warningText)].join('. ');
}
