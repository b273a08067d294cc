import { useState } from 'react';

const PREFIX = 'caudex:draft:';

/** What was typed and not sent or saved, kept on this device under a name. */
export function readDraft(name: string): string | undefined {
  return localStorage.getItem(PREFIX + name) ?? undefined;
}

export function keepDraft(name: string, text: string | undefined): void {
  if (text === undefined || text === '') localStorage.removeItem(PREFIX + name);
  else localStorage.setItem(PREFIX + name, text);
}

export function forgetDrafts(): void {
  for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) localStorage.removeItem(key);
}

/** A text field's value that outlives the page. */
export function useDraft(name: string): [string, (text: string) => void] {
  const [kept, setKept] = useState(() => ({ name, text: readDraft(name) ?? '' }));
  const current = kept.name === name ? kept : { name, text: readDraft(name) ?? '' };
  const set = (text: string) => {
    keepDraft(name, text);
    setKept({ name, text });
  };
  return [current.text, set];
}
