import katex from 'katex';
import { useLayoutEffect, useRef } from 'react';

/** What KaTeX marks as wrong gets an inline style, which the policy of the page refuses: such a formula is shown as it was written. */
const OPTIONS = { output: 'mathml', throwOnError: true, trust: false, strict: 'ignore' } as const;
/** The commands that would get inline styles. */
const WITHOUT_STYLES = { '\\pmb': '\\boldsymbol{#1}', '\\fcolorbox': '\\fbox{\\@firstoftwo{#3}{#1#2}}' };

/** A formula as MathML: the browser's own fonts and a screen reader's own words. */
export default function Maths({ text, display }: { text: string; display: boolean }) {
  const place = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    if (place.current === null) return;
    try {
      katex.render(text, place.current, { ...OPTIONS, macros: { ...WITHOUT_STYLES }, displayMode: display });
    } catch (error) {
      place.current.textContent = text;
      place.current.title = error instanceof Error ? error.message : '';
    }
  }, [text, display]);
  return <span ref={place} className={display ? 'maths-display' : 'maths'} />;
}
