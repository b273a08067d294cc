/** What shows that somebody uses the page, and not a program that measures or indexes it. */
const SIGNS = ['pointermove', 'pointerdown', 'keydown'] as const;

/**
 * Loads what most visits need soon, so that it is there when the backend is away: not with the page itself, whose first load
 * would weigh half as much again, but as soon as somebody moves in it.
 */
export function loadAhead(): () => void {
  const forget = () => SIGNS.forEach((sign) => removeEventListener(sign, load));
  const load = () => {
    forget();
    void import('../markdown/MarkdownText.tsx').catch(() => undefined);
    void import('./DialogFrame.tsx').catch(() => undefined);
    void import('./OpenMenu.tsx').catch(() => undefined);
  };
  SIGNS.forEach((sign) => addEventListener(sign, load, { passive: true }));
  return forget;
}
