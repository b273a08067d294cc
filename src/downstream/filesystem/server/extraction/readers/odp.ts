import type { Extracted } from '../extracted.ts';
import { HtmlReader, picturesWithoutText } from './html.ts';
import { OdfMarkup } from './odf-markup.ts';
import { openDocument, openDocumentLosses, stylesWith } from './opendocument.ts';
import { hiddenSlides, pagesOf, type Slide } from './slides.ts';
import { readXml } from './xml.ts';

/** The slides in order, each with its notes. */
export function fromOdp(content: Uint8Array, maxTextBytes: number): Extracted {
  const document = openDocument(content, 'an ODP', maxTextBytes);
  const markup = new SlideMarkup(stylesWith(document.content, 'presentation:visibility', 'hidden'));
  readXml(document.content, markup);
  const { slides, pictures } = markup;
  const withoutText = picturesWithoutText(pictures);
  return {
    pages: pagesOf(slides),
    warnings: [...withoutText, ...hiddenSlides(slides), ...openDocumentLosses(document)],
  };
}

/** Placeholders that the program fills in. */
const FILLED_IN = new Set(['header', 'footer', 'date-time', 'page-number', 'page']);

/** Splits the markup into the title, the body and the notes of each slide. */
class SlideMarkup extends OdfMarkup {
  readonly slides: Slide[] = [];
  pictures = 0;
  private inNotes = false;
  private inTitle = false;
  private isFilledIn = false;

  private readonly hiddenStyles: ReadonlySet<string>;

  constructor(hiddenStyles: ReadonlySet<string>) {
    super();
    this.hiddenStyles = hiddenStyles;
  }

  override start(name: string, attributes: Record<string, string>): void {
    if (name === 'draw:page' || name === 'presentation:notes' || name === 'draw:frame') this.flush();
    if (name === 'draw:page') {
      const isHidden = this.hiddenStyles.has(attributes['draw:style-name'] ?? '');
      this.slides.push({ title: '', body: [], notes: [], isHidden });
    }
    if (name === 'presentation:notes') this.inNotes = true;
    if (name === 'draw:frame') {
      const place = attributes['presentation:class'] ?? '';
      this.inTitle = place === 'title';
      this.isFilledIn = FILLED_IN.has(place);
    }
    super.start(name, attributes);
  }

  override end(name: string): void {
    super.end(name);
    if (name !== 'draw:page' && name !== 'presentation:notes' && name !== 'draw:frame') return;
    this.flush();
    this.inTitle = false;
    this.isFilledIn = false;
    if (name === 'presentation:notes') this.inNotes = false;
  }

  private flush(): void {
    const { text, warnings } = this.reader.result();
    this.reader = new HtmlReader();
    this.pictures += warnings[0]?.count ?? 0;
    const slide = this.slides.at(-1);
    if (text === '' || slide === undefined || this.isFilledIn) return;
    if (this.inNotes) slide.notes.push(text);
    else if (this.inTitle) slide.title = text;
    else slide.body.push(text);
  }
}
