import type { Warning } from '../../../../../contract/warning.contract.ts';
import type { Page } from '../extracted.ts';

export interface Slide {
  title: string;
  body: string[];
  notes: string[];
  /** Texts that stand on every slide of a kind. */
  margins?: string[];
  isHidden: boolean;
}

/** A slide becomes a page: its title as a heading, its text, and the speaker's notes. Margins stand on the first one only. */
export function pagesOf(slides: readonly Slide[]): Page[] {
  const known = new Set<string>();
  return slides.map(({ title, body, notes, margins = [] }, at) => {
    const own = [...new Set(margins)].filter((text) => !known.has(text));
    for (const text of own) known.add(text);
    const heading = title === '' ? '' : `# ${title.replaceAll(/\s+/g, ' ')}`;
    const speakerNotes = notes.length === 0 ? [] : [`Notes: ${notes.join('\n\n')}`];
    return {
      page: at + 1,
      text: [heading, ...body, ...own, ...speakerNotes].filter((part) => part !== '').join('\n\n'),
    };
  });
}

export function hiddenSlides(slides: readonly Slide[]): Warning[] {
  const hidden = slides.flatMap(({ isHidden }, at) => (isHidden ? [at + 1] : []));
  if (hidden.length === 0) return [];
  const detail = `${hidden.length} slides are hidden in the file; they are part of the text`;
  return [{ code: 'hidden_slides_read', detail, count: hidden.length, place: `slides ${hidden.join(', ')}` }];
}
