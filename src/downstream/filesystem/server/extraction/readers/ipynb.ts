import type { Warning } from '../../../../../contract/warning.contract.ts';
import type { DecodedText } from '../charset.ts';
import { Fault } from './fault.ts';

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
    const printed = outputs.map(({ text, data, evalue }) => joined(text ?? data?.['text/plain'] ?? evalue));
    return [fenced(joined(source), language), ...printed.map((text) => fenced(text, 'text'))];
  });
  const detail = `${pictures} pictures in outputs are left out`;
  const warnings: Warning[] = pictures === 0 ? [] : [{ code: 'pictures_left_out', detail, count: pictures }];
  return { text: texts.filter((text) => text.trim() !== '').join('\n\n'), warnings };
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
