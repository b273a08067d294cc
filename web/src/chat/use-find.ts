import { type RefObject, useCallback, useEffect, useRef, useSyncExternalStore } from 'react';
import { clearHighlight, highlight } from './find.ts';
import type { LiveChat } from './live-chat.ts';

/** How many pictures a turn has to come into the page after it was scrolled to. */
const MAX_FRAMES = 30;
/** For how many pictures it is corrected: the heights of turns that come into the page are only estimated before. */
const SETTLED_FRAMES = 4;

interface Rows {
  scrollToIndex: (index: number, options: { align: 'start' }) => void;
}

/**
 * Ctrl+F, or Command+F, opens the field that finds in all turns, where some of them are not in the page. Pressed once more, it
 * is the browser's.
 */
export function useFind(chat: LiveChat, place: RefObject<HTMLElement | null>, rows: Rows, hasMore: () => boolean) {
  const finding = useSyncExternalStore(chat.subscribe, () => chat.finding);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const isFind =
        event.key.toLowerCase() === 'f' && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
      if (!isFind || chat.finding || !hasMore() || document.querySelector('[role=dialog]') !== null) return;
      event.preventDefault();
      chat.setFinding(true);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  });
  const frame = useRef(0);
  const clear = useCallback(() => {
    cancelAnimationFrame(frame.current);
    clearHighlight();
  }, []);
  useEffect(() => {
    if (!finding) clear();
  }, [finding, clear]);
  useEffect(
    () => () => {
      chat.finding = false;
      clear();
    },
    [chat, clear],
  );

  const onShow = useCallback(
    (turn: number | undefined, words: string) => {
      clear();
      if (turn === undefined) return;
      let settled = 0;
      const look = (frames: number) => {
        const row = place.current?.querySelector(`[data-index="${turn}"]`) ?? null;
        const range = highlight(row, words);
        if (row !== null) {
          settled += 1;
          // A fold of the model's thoughts that is closed has no place.
          const spot = range?.startContainer.parentElement;
          (spot?.checkVisibility() === true ? spot : row).scrollIntoView({ block: 'center' });
        }
        if (frames > 0 && settled < SETTLED_FRAMES) frame.current = requestAnimationFrame(() => look(frames - 1));
      };
      rows.scrollToIndex(turn, { align: 'start' });
      frame.current = requestAnimationFrame(() => look(MAX_FRAMES));
    },
    [place, rows, clear],
  );
  return { finding, onShow };
}
