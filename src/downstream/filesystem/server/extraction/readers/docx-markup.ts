const ALTERNATIVES = /<mc:AlternateContent\b[^>]*>(.*?)<\/mc:AlternateContent>/gs;
const DRAWING = /<w:drawing\b[^>]*>(.*?)<\/w:drawing>/gs;
const TEXT_BOX = /<w:txbxContent\b[^>]*>.*?<\/w:txbxContent>/gs;
const EQUATION = /<m:oMath\b[^>]*>(.*?)<\/m:oMath>/gs;
/** A reference of a link or a picture to a relation of its part. */
const REFERENCE = /\sr:(?:id|embed|link)=["']([^"']*)["']/g;
const WRAPPERS = /<\/?(?:w:fldSimple|m:oMathPara)\b[^>]*>/g;

/**
 * Rewrites markup that mammoth skips into markup that it reads: simple fields and equations become runs of text, and a
 * text box in DrawingML only becomes one in VML. References to missing relations, at which mammoth fails, are left out. The
 * prefixes are those that Word and LibreOffice write.
 */
export function forMammoth(xml: string, relations: ReadonlySet<string>): string {
  return xml
    .replaceAll(REFERENCE, (reference: string, id: string) => (relations.has(id) ? reference : ''))
    .replaceAll(WRAPPERS, '')
    .replaceAll(EQUATION, (_equation, inner: string) => run(textsIn(inner, 'm')))
    .replaceAll(ALTERNATIVES, (whole: string, inner: string) =>
      whole.includes('<mc:Fallback') ? whole + descriptionOf(inner) : textBoxes(inner) + descriptionOf(inner),
    )
    .replaceAll(DRAWING, (whole: string) => whole + textBoxes(whole) + descriptionOf(whole));
}

/** The description of a chart, a diagram or a shape, as a text; mammoth reads that of a picture. */
function descriptionOf(drawing: string): string {
  if (drawing.includes('<pic:pic')) return '';
  const description = /<wp:docPr\b[^>]*?\sdescr="([^"]*)"/.exec(drawing)?.[1] ?? '';
  return description === '' ? '' : `<w:t xml:space="preserve"> ${description} </w:t>`;
}

/** The paragraphs of a part, without markup. */
export function paragraphsOf(xml: string): string[] {
  const paragraphs = xml.split('</w:p>').map((paragraph) => unescaped(textsIn(paragraph, 'w')).trim());
  return paragraphs.filter((paragraph) => paragraph !== '');
}

const run = (text: string) => `<w:r><w:t xml:space="preserve">${text}</w:t></w:r>`;

function textBoxes(drawing: string): string {
  const boxes = drawing.match(TEXT_BOX) ?? [];
  // A document without VML may not declare the namespace of `v`.
  const vml = 'xmlns:v="urn:schemas-microsoft-com:vml"';
  return boxes.map((box) => `<w:pict><v:shape ${vml}><v:textbox>${box}</v:textbox></v:shape></w:pict>`).join('');
}

function textsIn(xml: string, prefix: 'm' | 'w'): string {
  return [...xml.matchAll(/<([mw]):(?:t|tab|br)(?:\s[^>]*)?>([^<]*)/g)]
    .filter(([, found]) => found === prefix)
    .map(([tag, , text]) => (tag.endsWith('/>') ? ' ' : text))
    .join('');
}

const ENTITIES: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
const unescaped = (text: string) =>
  text.replaceAll(/&(lt|gt|quot|apos|amp);/g, (_entity, name: string) => ENTITIES[name] as string);
