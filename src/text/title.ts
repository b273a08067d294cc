import { blocks } from './blocks.js';
import { frontMatterOf } from './front-matter.js';
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
  return blocks(text, layout).find(({ kind, title }) => kind === 'heading' && title !== '')?.title;
}
