import { defaultRangeExtractor, type Range, useVirtualizer } from '@tanstack/react-virtual';
import { type RefObject, useCallback, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { ShownTurn } from './message.ts';

/** How near its end a reader counts as reading along. */
const NEAR_END_PX = 80;
const USUAL_TURN_PX = 380;
/** Room above the first turn, with and without the line that reads those before it. */
const TOP_PX = { earlier: 96, none: 32 };
const OVERSCAN = 3;
/** How many of the turns that were used last stay in the page: an open form, and the focus, are not lost by scrolling. */
const TOUCHED_KEPT = 5;

/**
 * The turns that are in the page. The end stays in sight for a reader who is there, also while an answer grows; for any other
 * reader the turn in sight stays where it is, also when earlier turns come in front.
 */
export function useTurnRows(place: RefObject<HTMLDivElement | null>, turns: ShownTurn[], hasEarlier: boolean) {
  const [touched, setTouched] = useState<readonly string[]>([]);
  const kept = useMemo(
    () => touched.map((id) => turns.findIndex(({ question }) => question.id === id)).filter((index) => index >= 0),
    [touched, turns],
  );
  const rows = useVirtualizer({
    count: turns.length,
    getScrollElement: () => place.current,
    getItemKey: useCallback((index: number) => turns[index]?.question.id ?? index, [turns]),
    estimateSize: () => USUAL_TURN_PX,
    rangeExtractor: useCallback(
      (range: Range) => [...new Set([...kept, ...defaultRangeExtractor(range)])].sort((a, b) => a - b),
      [kept],
    ),
    paddingStart: hasEarlier ? TOP_PX.earlier : TOP_PX.none,
    overscan: OVERSCAN,
    anchorTo: 'end',
    followOnAppend: true,
    scrollEndThreshold: NEAR_END_PX,
  });

  const isAtEnd = useRef(true);
  useLayoutEffect(() => rows.scrollToEnd(), [rows]);
  // What is beside the turns changes how much room they have.
  useLayoutEffect(() => {
    const resized = new ResizeObserver(() => isAtEnd.current && rows.scrollToEnd());
    if (place.current !== null) resized.observe(place.current);
    return () => resized.disconnect();
  }, [place, rows]);

  const onTouch = (id: string) =>
    setTouched((before) =>
      before.at(-1) === id ? before : [...before.filter((other) => other !== id), id].slice(-TOUCHED_KEPT),
    );
  return { rows, onTouch, onScroll: () => (isAtEnd.current = rows.isAtEnd()) };
}
