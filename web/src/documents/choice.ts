import { type RefObject, useEffect, useMemo, useRef, useState } from 'react';

export interface Choice {
  /** The chosen rows, in the order of the list. */
  ids: readonly string[];
  has: (id: string) => boolean;
  /** @param reach whether the rows since the last choice are chosen too, as with Shift */
  set: (id: string, chosen: boolean, reach?: boolean) => void;
  setAll: (chosen: boolean) => void;
}

/** The rows of a list that a person chose. A row that leaves the list is no longer chosen. */
export function useChoice(listed: readonly string[]): Choice {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const last = useRef<string>(undefined);
  const ids = useMemo(() => (chosen.size === 0 ? [] : listed.filter((id) => chosen.has(id))), [listed, chosen]);
  return {
    ids,
    has: (id) => chosen.has(id),
    set: (id, on, reach = false) => {
      const [from, to] = [listed.indexOf(last.current ?? id), listed.indexOf(id)].sort((a, b) => a - b) as [
        number,
        number,
      ];
      const changed = reach && from >= 0 ? listed.slice(from, to + 1) : [id];
      last.current = id;
      setChosen(new Set(on ? [...ids, ...changed] : ids.filter((other) => !changed.includes(other))));
    },
    setAll: (on) => setChosen(new Set(on ? listed : [])),
  };
}

/**
 * Keeps the focus in a list from which a row is removed: the row that takes its place gets it, or else the last one.
 * @param place has the rows in it, each with its number as `data-index`
 * @returns to be called with the number of a row before it is removed
 */
export function useFocusAfterRemoval(place: RefObject<HTMLElement | null>, listed: readonly string[]) {
  const removed = useRef<number>(undefined);
  useEffect(() => {
    if (removed.current === undefined) return;
    const index = Math.min(removed.current, listed.length - 1);
    removed.current = undefined;
    // A menu that closes moves the focus, too.
    requestAnimationFrame(() =>
      place.current
        ?.querySelector<HTMLElement>(`[data-index="${index}"] :is(a, button)`)
        ?.focus({ preventScroll: true }),
    );
  }, [place, listed]);
  return (index: number) => (removed.current = index);
}
