export const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);
export const folderOf = (path: string) => path.slice(0, path.lastIndexOf('/') + 1);

/** The document that a link in `from` names; undefined for a link within the document or to another place. */
export function resolvePath(from: string, href: string): string | undefined {
  if (href === '' || href.startsWith('#') || /^[a-z][a-z0-9+.-]*:/i.test(href)) return undefined;
  const base = new URL(encodeURI(`http://project/${from}`));
  if (!URL.canParse(href, base)) return undefined;
  try {
    return decodeURIComponent(new URL(href, base).pathname.slice(1)) || undefined;
  } catch {
    return undefined;
  }
}

/**
 * The path that a document or a folder is moved to, from what was typed: a folder stays a folder, and a document that is moved
 * into a folder keeps its name.
 */
export function moveTarget(from: string, typed: string): string {
  const path = typed.trim().replace(/^\/+/, '');
  if (path === '') return from;
  if (from.endsWith('/')) return path.endsWith('/') ? path : `${path}/`;
  return path.endsWith('/') ? path + nameOf(from) : path;
}

/** Where a passage stands in a text; undefined where the text no longer has it. */
export function locate(text: string, passage: string): { start: number; end: number } | undefined {
  const wanted = passage.trim();
  const start = wanted === '' ? -1 : text.indexOf(wanted);
  return start < 0 ? undefined : { start, end: start + wanted.length };
}
