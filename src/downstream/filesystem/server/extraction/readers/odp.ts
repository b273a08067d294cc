import type { Warning } from '../../../../../contract/warning.contract.ts';
import { type Extracted, summed } from '../extracted.ts';
import { HtmlReader } from './html.ts';
import { OdfMarkup } from './odf-markup.ts';
import { objectTexts, openDocument, openDocumentLosses, openDocumentProperties, stylesWith } from './opendocument.ts';
import { pagesWithProperties } from './properties.ts';
import { hiddenSlides, pagesOf, type Slide } from './slides.ts';
import { readXml } from './xml.ts';

/** The slides in order, each with its notes. */
export function fromOdp(content: Uint8Array, maxTextBytes: number): Extracted {
  const document = openDocument(content, 'an ODP', maxTextBytes);
  const markup = new SlideMarkup(stylesWith(document.content, 'presentation:visibility', 'hidden'));
  readXml(document.content, markup);
  const background = new SlideMarkup(new Set());
  readXml(document.text('styles.xml').match(MASTERS)?.[0] ?? '', background);
  const { slides, warnings } = markup;
  const [first] = slides;
  first?.margins?.push(...markup.declared, ...background.slides.flatMap(({ body }) => body), ...objectTexts(document));
  return {
    pages: pagesWithProperties(pagesOf(slides), openDocumentProperties(document)),
    warnings: [...summed(warnings), ...hiddenSlides(slides), ...openDocumentLosses(document)],
  };
}

const MASTERS = /<office:master-styles>.*<\/office:master-styles>/s;
/** The text of a header, footer or date of slides, to which they refer. */
const DECLARATION = /^presentation:(?:header|footer|date-time)-decl$/;
/** Placeholders that the program fills in. */
const FILLED_IN = new Set(['header', 'footer', 'date-time', 'page-number', 'page']);

const ENDS = new Set(['draw:page', 'style:master-page', 'presentation:notes', 'draw:frame']);

/** Splits the markup into the title, the body and the notes of each slide. */
class SlideMarkup extends OdfMarkup {
  readonly slides: Slide[] = [];
  readonly declared: string[] = [];
  readonly warnings: Warning[] = [];
  private inNotes = false;
  private inTitle = false;
  private isFilledIn = false;
  private isMaster = false;

  private readonly hiddenStyles: ReadonlySet<string>;

  constructor(hiddenStyles: ReadonlySet<string>) {
    super();
    this.hiddenStyles = hiddenStyles;
  }

  override start(name: string, attributes: Record<string, string>): void {
    if (ENDS.has(name)) this.flush();
    if (name === 'draw:page' || name === 'style:master-page') {
      const isHidden = this.hiddenStyles.has(attributes['draw:style-name'] ?? '');
      this.slides.push({ title: '', body: [], notes: [], margins: [], isHidden });
    }
    if (name === 'presentation:notes') this.inNotes = true;
    this.isMaster ||= name === 'style:master-page';
    if (name === 'draw:frame') {
      const place = attributes['presentation:class'] ?? '';
      this.inTitle = place === 'title';
      // A placeholder on a master slide holds a prompt.
      this.isFilledIn = FILLED_IN.has(place) || (place !== '' && this.isMaster);
    }
    super.start(name, attributes);
  }

  override end(name: string): void {
    super.end(name);
    if (DECLARATION.test(name)) this.endDeclaration();
    if (!ENDS.has(name)) return;
    this.flush();
    this.inTitle = false;
    this.isFilledIn = false;
    if (name === 'presentation:notes') this.inNotes = false;
  }

  private endDeclaration(): void {
    const { text } = this.reader.result();
    this.reader = new HtmlReader();
    if (text !== '') this.declared.push(text);
  }

  private flush(): void {
    const { text, warnings } = this.reader.result();
    this.reader = new HtmlReader();
    this.warnings.push(...warnings);
    const slide = this.slides.at(-1);
    if (text === '' || slide === undefined || this.isFilledIn) return;
    if (this.inNotes) slide.notes.push(text);
    else if (this.inTitle) slide.title = text;
    else slide.body.push(text);
  }
}
