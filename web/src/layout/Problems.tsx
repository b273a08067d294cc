import { Link } from '@tanstack/react-router';
import { ApiProblem, BackendAway } from '../api/client.ts';
import { t } from '../texts/en.ts';
import './layout.css';

export function NotFound() {
  return (
    <main className="notice">
      <h1>{t.problem.notFound}</h1>
      <p className="soft">{t.problem.notFoundWhat}</p>
      <Link className="button" to="/">
        {t.problem.home}
      </Link>
    </main>
  );
}

export function PageFailed({ error, reset }: { error: unknown; reset: () => void }) {
  return (
    <main className="notice" role="alert">
      <h1>{t.problem.title}</h1>
      <p className="soft">{error instanceof ApiProblem ? error.message : t.problem.page}</p>
      {/* Code that could not be loaded is loaded with the page alone; what was typed is kept on the device. */}
      <button className="button" onClick={() => (error instanceof ApiProblem ? reset() : location.reload())}>
        {t.problem.retry}
      </button>
    </main>
  );
}

/** One quiet block where a part of a page could not be read; the rest of the page stays. */
export function LoadProblem({ error, text, onRetry }: { error: Error; text?: string; onRetry?: () => void }) {
  const waitMs = error instanceof ApiProblem ? error.retryAfterMs : undefined;
  const detail = error instanceof BackendAway ? t.problem.away : error.message;
  return (
    <div className="load-problem" role="status">
      <p>{text ?? t.problem.title}</p>
      <p className="soft small">
        {detail} {waitMs !== undefined && t.problem.again(Math.ceil(waitMs / 1000))}
      </p>
      {onRetry !== undefined && (
        <button className="button button-small" onClick={onRetry}>
          {t.problem.retry}
        </button>
      )}
    </div>
  );
}

/** Lines in place of what is being read; nothing moves where motion is not wanted. */
export function Loading({ lines = 4 }: { lines?: number }) {
  return (
    <div className="loading-lines" role="status" aria-label={t.app.loading}>
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} />
      ))}
    </div>
  );
}

export function Empty({ title, what, children }: { title: string; what?: string; children?: React.ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {what !== undefined && <p className="soft">{what}</p>}
      {children}
    </div>
  );
}
