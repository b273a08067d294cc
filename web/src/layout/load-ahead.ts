const QUIET_MS = 2500;

/** Loads what will be needed while nothing else goes on, so that it is there when the backend is away. */
export function loadAhead(): () => void {
  const timer = setTimeout(() => {
    void import('../markdown/MarkdownText.tsx').catch(() => undefined);
    void import('./DialogFrame.tsx').catch(() => undefined);
    void import('./OpenMenu.tsx').catch(() => undefined);
  }, QUIET_MS);
  return () => clearTimeout(timer);
}
