import { type Extracted, summed } from '../extracted.ts';
import type { Warning } from '../../../../../contract/warning.contract.ts';
import { chartText } from './charts.ts';
import { Fault } from './fault.ts';
import { HtmlReader } from './html.ts';
import { chartLosses, partLosses } from './office-losses.ts';
import { pagesWithProperties, propertiesOf } from './properties.ts';
import { hiddenSlides, pagesOf, type Slide } from './slides.ts';
import { paragraphsOf, readXml, type XmlHandler } from './xml.ts';
import { type Parts, partsOf } from './zip-parts.ts';

const WANTED =
  /^ppt\/(?:_rels\/)?presentation\.xml|^ppt\/(?:slides|slideLayouts|slideMasters|notesSlides|comments|diagrams|charts)\/.+\.(?:xml|rels)$|^docProps\/(?:core|custom)\.xml$/;
/** Parts whose text is extracted; of others, the relations of a slide decide. */
const READ =
  /^ppt\/(?:presentation\.xml$|slides\/|slideLayouts\/|slideMasters\/|notesSlides\/|comments\/|diagrams\/data|charts\/chart)|^docProps\/(?:core|custom)\.xml$/;

/** The slides in the order of the presentation, each with its tables, diagrams, comments and notes. */
export function fromPptx(content: Uint8Array, maxTextBytes: number): Extracted {
  const parts = partsOf(content, 'a PPTX', WANTED, maxTextBytes);
  const presentation = parts.text('ppt/presentation.xml');
  if (presentation === '') throw new Fault('it is not a PPTX: it has no ppt/presentation.xml');
  const targets = relationsOf(parts, 'ppt/presentation.xml');
  const ids = [...presentation.matchAll(/<p:sldId\b[^>]*?\br:id="([^"]+)"/g)].map(([, id]) => id as string);
  const read = ids.map((id) => slideOf(parts, targets.get(id)?.target ?? ''));
  const slides = read.map(({ slide }) => slide);
  const properties = ['core', 'custom'].flatMap((name) => propertiesOf(parts.text(`docProps/${name}.xml`)));
  const charts = parts.names.filter((name) => CHART.test(name)).length;
  return {
    pages: pagesWithProperties(pagesOf(slides), properties),
    warnings: [
      ...summed(read.flatMap(({ warnings }) => warnings)),
      ...hiddenSlides(slides),
      ...chartLosses(charts),
      ...partLosses(parts.names, (name) => READ.test(name)),
    ],
  };
}
const CHART = /^ppt\/charts\/chart(?:Ex)?\d*\.xml$/;

interface Relation {
  type: string;
  /** The name of a part. */
  target: string;
}

/** The relations of a part by their ids (ECMA-376, part 2). */
function relationsOf(parts: Parts, part: string): Map<string, Relation> {
  const folder = part.slice(0, part.lastIndexOf('/') + 1);
  const found = new Map<string, Relation>();
  const start = (name: string, { Id = '', Type = '', Target = '' }: Record<string, string>) => {
    if (name !== 'Relationship' || !URL.canParse(Target, 'zip:/')) return;
    const target = decodeURI(new URL(Target, `zip:/${folder}`).pathname).replace(/^\//, '');
    found.set(Id, { type: Type.slice(Type.lastIndexOf('/') + 1), target });
  };
  readXml(parts.text(`${folder}_rels/${part.slice(folder.length)}.rels`), { start, text: () => {}, end: () => {} });
  return found;
}

function slideOf(parts: Parts, part: string): { slide: Slide; warnings: Warning[] } {
  const markup = new SlideMarkup();
  const xml = parts.text(part);
  readXml(xml, markup);
  const { title, body, margins, warnings } = markup;
  const isHidden = /<p:sld\b[^>]*\bshow="(?:0|false)"/.test(xml);
  const slide: Slide = { title, body, margins, notes: [], isHidden };
  for (const { type, target } of relationsOf(parts, part).values()) {
    if (type === 'notesSlide') {
      const notes = markupOf(parts.text(target));
      slide.notes.push(...notes.body);
      margins.push(...notes.margins);
    }
    if (type === 'slideLayout') margins.push(...backgroundOf(parts, target));
    if (type === 'chart' || type === 'chartEx') slide.body.push(chartText(parts.text(target)));
    if (type === 'diagramData') slide.body.push(...paragraphsOf(parts.text(target), 'a:p', 'a:t'));
    if (type === 'comments') {
      const comments = [...paragraphsOf(parts.text(target), 'p:text', 'p:text'), ...modernComments(parts.text(target))];
      slide.body.push(...comments.map((comment) => `Comment: ${comment}`));
    }
  }
  return { slide, warnings };
}

/** What a layout and its master show on each of their slides: their shapes that are no places to be filled in. */
function backgroundOf(parts: Parts, layout: string): string[] {
  const masters = [...relationsOf(parts, layout).values()].filter(({ type }) => type === 'slideMaster');
  return [layout, ...masters.map(({ target }) => target)].flatMap((part) => markupOf(parts.text(part)).fixed);
}

const modernComments = (xml: string) => paragraphsOf(xml, 'a:p', 'a:t');

function markupOf(xml: string): SlideMarkup {
  const markup = new SlideMarkup();
  readXml(xml, markup);
  return markup;
}

/** Elements of DrawingML (ECMA-376, part 1, 21.1) that are equivalent to elements of HTML. */
const SAME: Record<string, string> = { 'a:p': 'p', 'a:tbl': 'table', 'a:tr': 'tr', 'a:br': 'br' };
const SHAPE = /^p:(?:sp|pic|graphicFrame)$/;
/** Placeholders that the program fills in: the slide number, and the picture of the slide above its notes. */
const FILLED_IN = new Set(['sldNum', 'sldImg']);
/** Placeholders whose text is that of many slides: header, footer, and date. */
const MARGINS = new Set(['hdr', 'ftr', 'dt']);

/** Reads the shapes of a slide with the HTML reader. */
class SlideMarkup implements XmlHandler {
  title = '';
  readonly body: string[] = [];
  readonly margins: string[] = [];
  /** The texts of shapes that are no placeholders. */
  readonly fixed: string[] = [];
  warnings: Warning[] = [];
  private reader = new HtmlReader();
  private readonly rows: number[] = [];
  private inText = false;
  private place = '';
  private description = '';

  start(name: string, attributes: Record<string, string>): void {
    if (SHAPE.test(name)) this.flush();
    if (name === 'p:ph') this.place = attributes['type'] ?? 'body';
    else if (name === 'p:cNvPr') this.description = attributes['descr'] ?? '';
    else if (name === 'p:blipFill') this.picture();
    else if (name === 'a:t') this.inText = true;
    else if (name === 'a:tbl') this.rows.push(0);
    else if (name === 'a:tr') this.rows.push((this.rows.pop() ?? 0) + 1);
    const element = this.elementOf(name);
    if (element !== undefined) this.reader.onopentag(element, {});
  }

  text(text: string): void {
    if (this.inText) this.reader.ontext(text);
  }

  end(name: string): void {
    if (name === 'a:t') this.inText = false;
    if (name === 'a:tbl') this.rows.pop();
    const element = this.elementOf(name);
    if (element !== undefined) this.reader.onclosetag(element);
    if (SHAPE.test(name) || name === 'p:spTree') this.flush();
  }

  private elementOf(name: string): string | undefined {
    if (name === 'a:tc') return this.rows.at(-1) === 1 ? 'th' : 'td';
    return SAME[name];
  }

  private flush(): void {
    // A chart, a diagram or a drawing may have a description, too.
    if (this.description !== '') {
      this.reader.onopentag('br', {});
      this.reader.ontext(this.description);
    }
    const { text, warnings } = this.reader.result();
    this.reader = new HtmlReader();
    this.warnings.push(...warnings);
    if (text !== '') this.add(text);
    this.place = '';
    this.description = '';
  }

  private add(text: string): void {
    if (this.place === '') this.fixed.push(text);
    const isTitle = this.place === 'title' || this.place === 'ctrTitle';
    if (isTitle && this.title === '') this.title = text;
    else if (MARGINS.has(this.place)) this.margins.push(text);
    else if (!FILLED_IN.has(this.place)) this.body.push(text);
  }

  private picture(): void {
    this.reader.onopentag('img', { alt: this.description });
    this.description = '';
  }
}
