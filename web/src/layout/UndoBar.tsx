import { t } from '../texts/en.ts';
import { formatNumber } from '../texts/format.ts';
import { type Notice, undoQueue, useNotices } from './undo.ts';

/** The most failures that a line lists. */
const LISTED = 50;

export function UndoBar() {
  const notices = useNotices();
  return (
    <div className="undo-bar" role="status">
      {notices.map(({ id, text, progress, failures = [], actions = [] }) => (
        <div key={id} className="undo">
          <span className="undo-text">{text}</span>
          {progress !== undefined && <Progress {...progress} />}
          <div className="undo-actions">
            {actions.map(([label, run]) => (
              <button key={label} className="button button-small" onClick={() => undoQueue.act(id, run)}>
                {label}
              </button>
            ))}
            {progress === undefined && (
              <button className="button button-quiet button-small" onClick={() => undoQueue.close(id)}>
                {t.undo.dismiss}
              </button>
            )}
          </div>
          {failures.length > 0 && <Failures failures={failures} />}
        </div>
      ))}
    </div>
  );
}

/** A screen reader says the text of the line alone, and not each number. */
function Progress({ done, total }: NonNullable<Notice['progress']>) {
  return (
    <>
      <span className="small soft number" aria-hidden="true">
        {formatNumber(done)} / {formatNumber(total)}
      </span>
      <progress value={done} max={total} aria-label={t.undo.progress} />
    </>
  );
}

function Failures({ failures }: { failures: NonNullable<Notice['failures']> }) {
  return (
    <ul className="plain-list undo-failures small">
      {failures.slice(0, LISTED).map(({ name, detail }) => (
        <li key={name}>
          <strong>{name}</strong> {detail}
        </li>
      ))}
      {failures.length > LISTED && <li className="soft">{t.undo.moreFailures(failures.length - LISTED)}</li>}
    </ul>
  );
}
