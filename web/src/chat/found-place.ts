import { type RefObject, useCallback, useEffect, useRef } from 'react';
import { clearHighlight, highlight } from './find.ts';

/** How many pictures a turn has to come into the page after it was scrolled to. */
const MAX_FRAMES = 30;
/** For how many pictures it is corrected: the heights of turns that come into the page are only estimated before. */
const SETTLED_FRAMES = 4;

export interface Rows {
  scrollToIndex: (index: number, options: { align: 'start' }) => void;
}

/** @returns brings a turn in sight and marks the words in it; without a turn, nothing is marked */
export function useFoundPlace(place: RefObject<HTMLElement | null>, rows: Rows) {
  const frame = useRef(0);
  const clear = useCallback(() => {
    cancelAnimationFrame(frame.current);
    clearHighlight();
  }, []);
  useEffect(() => clear, [clear]);

  return useCallback(
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
}
