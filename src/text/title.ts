import { blocks } from './blocks.js';

const LOOK_AT_CHARS = 20_000;
const MAX_TITLE_CHARS = 200;

/** The title of a document: its first heading, or the name of its file. */
export function titleOf(path: string, text: string, mediaType: string): string {
  const heading = blocks(text.slice(0, LOOK_AT_CHARS), mediaType).find(
    (block) => block.kind === 'heading' && block.title !== '',
  );
  return (heading?.title ?? path.slice(path.lastIndexOf('/') + 1)).slice(0, MAX_TITLE_CHARS);
}
