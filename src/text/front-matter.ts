/** What a document says of itself at its beginning, in lines of `key: value` between `---`, or `key = value` between `+++`. */
export interface FrontMatter {
  title: string | undefined;
  tags: string[];
  /** Milliseconds since 1970; undefined where there is none. */
  dateMs: number | undefined;
}

const LOOK_AT_CHARS = 20_000;
const MAX_TAGS = 100;

/** Reads the few keys that search uses; anything else in it is text like the rest. */
export function frontMatterOf(text: string): FrontMatter {
  const found: FrontMatter = { title: undefined, tags: [], dateMs: undefined };
  const fence = text.slice(0, 3);
  if (fence !== '---' && fence !== '+++') return found;
  const lines = text.slice(0, LOOK_AT_CHARS).split('\n').slice(1);
  const end = lines.findIndex((line) => line.startsWith(fence));
  let isTags = false;
  for (const line of lines.slice(0, Math.max(0, end))) {
    const item = line.trim();
    if (isTags && item.startsWith('- ')) found.tags.push(...listOf(item.slice(2)));
    const at = line.indexOf(fence === '---' ? ':' : '=');
    if (at === -1 || item.startsWith('- ')) continue;
    const key = line.slice(0, at).trim().toLowerCase();
    const value = line.slice(at + 1).trim();
    isTags = key === 'tags' || key === 'tag' || key === 'keywords';
    if (isTags) found.tags.push(...listOf(value));
    else if (key === 'title') found.title = unquoted(value) || undefined;
    else if (key === 'date' || key === 'created') found.dateMs ??= dateOf(unquoted(value));
  }
  found.tags = [...new Set(found.tags)].slice(0, MAX_TAGS);
  return found;
}

function listOf(value: string): string[] {
  return value
    .replace(/^\[|\]$/g, '')
    .split(',')
    .map((tag) => unquoted(tag.trim()).replace(/^#/, '').toLowerCase())
    .filter((tag) => tag !== '');
}

function unquoted(value: string): string {
  const quote = value[0];
  return (quote === '"' || quote === "'") && value.length > 1 && value.endsWith(quote) ? value.slice(1, -1) : value;
}

function dateOf(value: string): number | undefined {
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? undefined : ms;
}
