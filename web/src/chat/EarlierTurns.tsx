import { useEffect, useRef, useState } from 'react';
import { t } from '../texts/en.ts';

/** How far above the upper edge of the screen the earlier turns are read already. */
const AHEAD = '1500px 0px 0px';

/** Stands above the first turn that was read. The turns before it are read when it comes near the screen. */
export function EarlierTurns({ number, onRead }: { number: number; onRead: () => Promise<void> }) {
  const place = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<'idle' | 'reading' | 'failed'>('idle');
  const read = () => {
    setState('reading');
    onRead().then(
      () => setState('idle'),
      () => setState('failed'),
    );
  };
  useEffect(() => {
    if (state !== 'idle' || place.current === null) return;
    const near = new IntersectionObserver((entries) => entries.some(({ isIntersecting }) => isIntersecting) && read(), {
      root: place.current.closest('.turns'),
      rootMargin: AHEAD,
    });
    near.observe(place.current);
    return () => near.disconnect();
    // eslint-disable-next-line react-hooks/exhaustive-deps -- observed again after each page, which may not fill the screen
  }, [state, number]);
  return (
    <div ref={place} className="earlier">
      {state === 'failed' && <p className="state-line">{t.chat.earlierAway}</p>}
      <button className="button button-small" disabled={state === 'reading'} onClick={read}>
        {t.chat.earlier(number)}
      </button>
    </div>
  );
}
