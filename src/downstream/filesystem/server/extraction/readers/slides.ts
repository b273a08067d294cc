import type { Warning } from '../../../../../contract/warning.contract.ts';
import type { Page } from '../extracted.ts';

export interface Slide {
  title: string;
  body: string[];
  notes: string[];
  isHidden: boolean;
}

/** A slide becomes a page: its title as a heading, its text, and the speaker's notes. */
export function pagesOf(slides: readonly Slide[]): Page[] {
  return slides.map(({ title, body, notes }, at) => {
    const heading = title === '' ? '' : `# ${title.replaceAll(/\s+/g, ' ')}`;
    const speakerNotes = notes.length === 0 ? [] : [`Notes: ${notes.join('\n\n')}`];
    return { page: at + 1, text: [heading, ...body, ...speakerNotes].filter((part) => part !== '').join('\n\n') };
  });
}

export function hiddenSlides(slides: readonly Slide[]): Warning[] {
  const hidden = slides.flatMap(({ isHidden }, at) => (isHidden ? [at + 1] : []));
  if (hidden.length === 0) return [];
  const detail = `${hidden.length} slides are hidden in the file; they are part of the text`;
  return [{ code: 'hidden_slides_read', detail, count: hidden.length, place: `slides ${hidden.join(', ')}` }];
}
