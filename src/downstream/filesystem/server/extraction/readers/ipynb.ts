import type { Warning } from '../../../../../contract/warning.contract.ts';
import type { DecodedText } from '../charset.ts';
import { Fault } from './fault.ts';
import { htmlToText } from './html.ts';

/** nbformat 4; a text is one string or a list of its lines. */
interface Notebook {
  cells: { cell_type?: string; source?: Source; outputs?: Output[] }[];
  metadata?: { language_info?: { name?: string } };
}
type Source = string | string[];
interface Output {
  text?: Source;
  data?: Record<string, Source>;
  evalue?: string;
}

/** Text cells unchanged, code and its printed output as code blocks; pictures are counted. */
export function fromIpynb(content: Uint8Array): DecodedText {
  const notebook = parse(content);
  const language = notebook.metadata?.language_info?.name ?? '';
  let pictures = 0;
  const texts = notebook.cells.flatMap(({ cell_type: type, source, outputs = [] }) => {
    if (type !== 'code') return [joined(source)];
    pictures += outputs.filter(({ data }) => Object.keys(data ?? {}).some((kind) => kind.startsWith('image/'))).length;
    const printed = outputs.map((output) => printedOf(output));
    return [fenced(joined(source), language), ...printed];
  });
  const detail = `${pictures} pictures in outputs are left out`;
  const warnings: Warning[] = pictures === 0 ? [] : [{ code: 'pictures_left_out', detail, count: pictures }];
  return { text: texts.filter((text) => text.trim() !== '').join('\n\n'), warnings };
}

/** One of the forms of an output, the one that says most. */
function printedOf({ text, data = {}, evalue }: Output): string {
  const plain = joined(data['text/plain']);
  const [markdown, latex, html] = ['text/markdown', 'text/latex', 'text/html'].map((type) => joined(data[type]));
  if (text !== undefined) return fenced(joined(text), 'text');
  if (markdown) return markdown;
  // Python's description of an object stands for its other forms.
  if (plain !== '' && !(/^<.*>$/s.test(plain.trim()) && (latex || html))) return fenced(plain, 'text');
  return latex || (html ? htmlToText(html).text : fenced(joined(evalue), 'text'));
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
