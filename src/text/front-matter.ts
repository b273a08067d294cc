/**
 * The metadata at the beginning of a document: lines of `key: value` between `---`, or of `key = value` between `+++`.
 */
export interface FrontMatter {
  title: string | undefined;
  tags: string[];
  authors: string[];
  /** Milliseconds since 1970; undefined where there is none. */
  dateMs: number | undefined;
}

const LOOK_AT_CHARS = 20_000;
const MAX_TAGS = 100;

/** Reads the few keys that search uses. Other keys are treated as text. */
export function frontMatterOf(text: string): FrontMatter {
  const found: FrontMatter = { title: undefined, tags: [], authors: [], dateMs: undefined };
  const fence = text.slice(0, 3);
  if (fence !== '---' && fence !== '+++') return found;
  const lines = text.slice(0, LOOK_AT_CHARS).split('\n').slice(1);
  const end = lines.findIndex((line) => line.startsWith(fence));
  let list: string[] | undefined;
  for (const line of lines.slice(0, Math.max(0, end))) {
    const item = line.trim();
    if (item.startsWith('- ')) list?.push(...listOf(item.slice(2)));
    const at = line.indexOf(fence === '---' ? ':' : '=');
    if (at === -1 || item.startsWith('- ')) continue;
    const key = line.slice(0, at).trim().toLowerCase();
    const value = line.slice(at + 1).trim();
    list = listFor(found, key);
    if (list !== undefined) list.push(...listOf(value));
    else if (key === 'title') found.title = unquoted(value) || undefined;
    else if (key === 'date' || key === 'created') found.dateMs ??= dateOf(unquoted(value));
  }
  found.tags = [...new Set(found.tags.map((tag) => tag.replace(/^#/, '').toLowerCase()))].slice(0, MAX_TAGS);
  return found;
}

function listFor(found: FrontMatter, key: string): string[] | undefined {
  if (key === 'tags' || key === 'tag' || key === 'keywords') return found.tags;
  return key === 'author' || key === 'authors' ? found.authors : undefined;
}

function listOf(value: string): string[] {
  return value
    .replace(/^\[|\]$/g, '')
    .split(',')
    .map((item) => unquoted(item.trim()))
    .filter((item) => item !== '');
}

function unquoted(value: string): string {
  const quote = value[0];
  return (quote === '"' || quote === "'") && value.length > 1 && value.endsWith(quote) ? value.slice(1, -1) : value;
}

function dateOf(value: string): number | undefined {
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? undefined : ms;
}
