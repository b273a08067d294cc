import { Suspense, useState } from 'react';
import { lazily } from './lazily.ts';

const OpenMenu = lazily(() => import('./OpenMenu.tsx'));

export interface RowMenuProps {
  /** Names the row, since there are many of them. */
  label: string;
  /** What can be done, and what does it. */
  actions: [text: string, run: () => void][];
}

/** The three dots at the end of a row. The code of the menu is loaded when the first one opens. */
export function RowMenu(props: RowMenuProps) {
  const [wanted, setWanted] = useState<'by pointer' | 'by keyboard'>();
  const button = (
    <button
      className="button button-quiet button-small row-menu"
      aria-label={props.label}
      aria-haspopup="menu"
      // A click that a key made has no number of clicks.
      onClick={({ detail }) => setWanted(detail === 0 ? 'by keyboard' : 'by pointer')}
    >
      <Dots />
    </button>
  );
  if (wanted === undefined) return button;
  return (
    <Suspense fallback={button}>
      <OpenMenu {...props} byKeyboard={wanted === 'by keyboard'} />
    </Suspense>
  );
}

export function Dots() {
  return (
    <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" fill="currentColor">
      <circle cx="3" cy="8" r="1.4" />
      <circle cx="8" cy="8" r="1.4" />
      <circle cx="13" cy="8" r="1.4" />
    </svg>
  );
}
