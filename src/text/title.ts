import { blocks } from './blocks.js';
import { frontMatterOf } from './front-matter.js';
import { unpaced } from './paced.js';
import { isProse, type Layout, layoutOf } from './media-type.js';

const LOOK_AT_CHARS = 20_000;
const MAX_TITLE_CHARS = 200;

/** The title of a document: that in its front matter, its first heading, or its file name. */
export function titleOf(path: string, text: string, mediaType: string): string {
  const beginning = text.slice(0, LOOK_AT_CHARS);
  const layout = layoutOf(path, mediaType);
  const found = isProse(layout) ? (frontMatterOf(beginning).title ?? firstHeading(beginning, layout)) : undefined;
  return (found ?? path.slice(path.lastIndexOf('/') + 1)).slice(0, MAX_TITLE_CHARS);
}

function firstHeading(text: string, layout: Layout): string | undefined {
  for (const { kind, title } of unpaced(blocks(text, layout))) if (kind === 'heading' && title !== '') return title;
  return undefined;
}
