/** Events that show that a person uses the page, and not a program that measures or indexes it. */
const SIGNS = ['pointermove', 'pointerdown', 'keydown'] as const;

/**
 * Loads the code that most visits need soon, so that it is present when the backend is unavailable. It is loaded at the first
 * event of a person, because with the page itself the first load would be half as large again.
 */
export function loadAhead(): () => void {
  const stopListening = () => SIGNS.forEach((sign) => removeEventListener(sign, load));
  const load = () => {
    stopListening();
    void import('../chat/ChatPage.tsx').catch(() => undefined);
    void import('../chat/TurnList.tsx').catch(() => undefined);
    void import('../documents/PassagePanel.tsx').catch(() => undefined);
    void import('../markdown/MarkdownText.tsx').catch(() => undefined);
    void import('../markdown/closed-ends.ts').then(({ loadClosedEnds }) => loadClosedEnds()).catch(() => undefined);
    void import('./DialogFrame.tsx').catch(() => undefined);
    void import('./OpenMenu.tsx').catch(() => undefined);
  };
  SIGNS.forEach((sign) => addEventListener(sign, load, { passive: true }));
  return stopListening;
}
