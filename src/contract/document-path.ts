const MAX_PATH_CHARS = 255;

const CONTROL = /[\u0000-\u001f\u007f-\u009f]/u;

/** What is wrong with the path of a document, for people; undefined for a good one, such as `notes/2026/plan.md`. */
export function pathFault(path: string): string | undefined {
  const characters = [...path].length;
  if (characters === 0) return 'it is empty; a relative path like notes/plan.md is needed';
  if (characters > MAX_PATH_CHARS) return `it has ${characters} characters; at most ${MAX_PATH_CHARS} are taken`;
  if (!path.isWellFormed()) return 'it is not valid Unicode: half of a surrogate pair stands alone';
  if (CONTROL.test(path)) return 'it holds a NUL or another control character; leave these out';
  if (path.includes('\\')) return 'it holds a backslash; folders are parted by /';
  if (path.startsWith('/')) return 'it begins with /; a path relative to the project is needed';
  if (path.endsWith('/')) return 'it ends with /, as a folder does; the name of a document is needed';
  const segment = path.split('/').find((part) => part.trim() === '' || part === '.' || part === '..');
  if (segment?.trim() === '' && segment !== '') return 'it holds a segment of nothing but blanks; give it a name';
  if (segment === '') return 'it holds an empty segment (//); one / is enough';
  if (segment !== undefined) return `it holds the segment "${segment}"; write the path out without it`;
  if (path !== path.normalize('NFC')) return 'its characters are not composed; normalise it to Unicode NFC';
  return undefined;
}
