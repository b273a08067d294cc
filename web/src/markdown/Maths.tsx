import katex from 'katex';
import { useLayoutEffect, useRef } from 'react';

/** A formula as MathML: the browser's own fonts and a screen reader's own words. */
export default function Maths({ text, display }: { text: string; display: boolean }) {
  const place = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    if (place.current === null) return;
    katex.render(text, place.current, { output: 'mathml', displayMode: display, throwOnError: false, trust: false });
  }, [text, display]);
  return <span ref={place} className={display ? 'maths-display' : 'maths'} />;
}
