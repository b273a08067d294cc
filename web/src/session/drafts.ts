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

/**
 * Forgets what was kept for a project, or for one conversation or document of it, because it is deleted. The names of such
 * drafts are `kind:project:thing`.
 */
export function forgetDraftsOf(project: string, thing?: string): void {
  for (const key of Object.keys(localStorage)) {
    const [kind = '', ...name] = key.startsWith(PREFIX) ? key.slice(PREFIX.length).split(':') : [];
    const isOfProject = kind !== '' && name[0] === project;
    if (isOfProject && (thing === undefined || name.slice(1).join(':') === thing)) localStorage.removeItem(key);
  }
}

/** Keeps the drafts of documents whose path has changed. @param from a path, or a folder with its slash; `to` likewise */
export function moveDrafts(project: string, from: string, to: string): void {
  const start = `${PREFIX}document:${project}:`;
  for (const key of Object.keys(localStorage)) {
    const path = key.startsWith(start) ? key.slice(start.length) : '';
    if (path !== from && !(from.endsWith('/') && path.startsWith(from))) continue;
    localStorage.setItem(start + to + path.slice(from.length), localStorage.getItem(key) ?? '');
    localStorage.removeItem(key);
  }
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
