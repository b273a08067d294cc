import type { DecodedText } from '../charset.ts';
import { counted } from '../extracted.ts';
import { Fault } from './fault.ts';
import { htmlToText } from './html.ts';
import { type Property, withProperties } from './properties.ts';

/** nbformat 4; a text is one string or a list of its lines. */
interface Notebook {
  cells: Cell[];
  metadata?: { language_info?: { name?: string }; title?: unknown; authors?: unknown };
}
interface Cell {
  cell_type?: string;
  source?: Source;
  outputs?: Output[];
  /** Files that a text cell refers to, by their name and media type. */
  attachments?: Record<string, Record<string, unknown>>;
}
type Source = string | string[];
interface Output {
  text?: Source;
  data?: Record<string, Source>;
  ename?: string;
  evalue?: string;
}

/** Text cells unchanged, code and its printed output as code blocks; pictures and other outputs are counted. */
export function fromIpynb(content: Uint8Array): DecodedText {
  const notebook = parse(content);
  const language = notebook.metadata?.language_info?.name ?? '';
  const lost = { pictures: 0, files: 0, outputs: 0 };
  const texts = notebook.cells.flatMap(({ cell_type: type, source, outputs = [], attachments = {} }) => {
    for (const file of Object.values(attachments)) lost[isPicture(file) ? 'pictures' : 'files']++;
    if (type !== 'code') return [joined(source)];
    const printed = outputs.map((output) => printedOf(output));
    outputs.forEach(({ data = {} }, at) => {
      if (isPicture(data)) lost.pictures++;
      else if (Object.keys(data).length > 0 && printed[at] === '') lost.outputs++;
    });
    return [fenced(joined(source), language), ...printed];
  });
  const text = texts.filter((one) => one.trim() !== '').join('\n\n');
  return {
    text: withProperties(text, propertiesOf(notebook)),
    warnings: [
      ...counted(lost.pictures, 'pictures_left_out', 'pictures in outputs and texts are left out'),
      ...counted(lost.files, 'embedded_files_left_out', 'files in text cells are left out'),
      ...counted(lost.outputs, 'outputs_left_out', 'outputs without a form that is text are left out'),
    ],
  };
}

const isPicture = (data: object) => Object.keys(data).some((type) => type.startsWith('image/'));

function propertiesOf({ metadata = {} }: Notebook): Property[] {
  const { title, authors } = metadata;
  const names = Array.isArray(authors) ? authors.map((author: { name?: unknown } | null) => author?.name) : [];
  return [['Title', title] as const, ...names.map((name) => ['Author', name] as const)].flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value] as const] : [],
  );
}

/** One of the forms of an output, the one that says most. */
function printedOf({ text, data = {}, ename, evalue }: Output): string {
  const plain = joined(data['text/plain']);
  const [markdown, latex, html] = ['text/markdown', 'text/latex', 'text/html'].map((type) => joined(data[type]));
  if (text !== undefined) return fenced(joined(text), 'text');
  if (markdown) return markdown;
  // Python's description of an object stands for its other forms.
  if (plain !== '' && !(/^<.*>$/s.test(plain.trim()) && (latex || html))) return fenced(plain, 'text');
  return latex || (html ? htmlToText(html).text : fenced([ename, evalue].filter(Boolean).join(': '), 'text'));
}

function parse(content: Uint8Array): Notebook {
  let notebook: unknown;
  try {
    notebook = JSON.parse(new TextDecoder().decode(content));
  } catch (error) {
    throw new Fault(`it is not a Jupyter notebook: ${(error as Error).message}`);
  }
  if (!Array.isArray((notebook as Partial<Notebook> | null)?.cells)) {
    throw new Fault('it is not a Jupyter notebook of format 4: it has no list "cells"');
  }
  return notebook as Notebook;
}

const joined = (source: Source | undefined) => [source ?? ''].flat().join('');
const fenced = (text: string, language: string) =>
  text.trim() === '' ? '' : `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
