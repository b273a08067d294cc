import { blocks } from './blocks.js';
import { layoutOf } from './media-type.js';

const LOOK_AT_CHARS = 20_000;
const MAX_TITLE_CHARS = 200;

/** The title of a document: the one of its front matter, its first heading, or the name of its file. */
export function titleOf(path: string, text: string, mediaType: string): string {
  const beginning = text.slice(0, LOOK_AT_CHARS);
  const layout = layoutOf(path, mediaType);
  const found = layout === 'prose' ? (frontMatterTitle(beginning) ?? firstHeading(beginning)) : undefined;
  return (found ?? path.slice(path.lastIndexOf('/') + 1)).slice(0, MAX_TITLE_CHARS);
}

function firstHeading(text: string): string | undefined {
  return blocks(text, 'prose').find(({ kind, title }) => kind === 'heading' && title !== '')?.title;
}

/** The `title` of YAML or TOML between `---` or `+++` at the beginning. */
function frontMatterTitle(text: string): string | undefined {
  const fence = text.slice(0, 3);
  if (fence !== '---' && fence !== '+++') return undefined;
  const lines = text.split('\n');
  for (const line of lines.slice(1)) {
    if (line.startsWith(fence)) return undefined;
    const [key, ...rest] = line.split(fence === '---' ? ':' : '=');
    if (key?.trim().toLowerCase() !== 'title') continue;
    const value = rest.join(fence === '---' ? ':' : '=').trim();
    const unquoted = /^(["']).*\1$/.test(value) ? value.slice(1, -1) : value;
    return unquoted === '' ? undefined : unquoted;
  }
  return undefined;
}
