import { epub, opendocument, pptx, shape, styled, xlsx } from '../test/office-files.ts';
import { docx, paragraph, pdf } from '../test/sample-files.ts';

const SENTENCES = [
  'The river otter eats fish, crabs and frogs.',
  'Herons stand in shallow water and wait.',
  'A badger digs its sett into a slope.',
  'Wrens sing louder than their size suggests.',
];
const text = (n: number) => Array.from({ length: n }, (_, i) => `${i + 1}. ${SENTENCES[i % SENTENCES.length]}`);
const rows = (n: number) =>
  Array.from({ length: n }, (_, i) => [`Customer ${i}`, styled('dd.mm.yyyy', 45000 + i), i * 1.5]);

/** A file of each format that a program on the same machine may read as well. */
export function sampleFiles(): Record<string, Uint8Array> {
  const cell = (shown: string) => `<table:table-cell><text:p>${shown}</text:p></table:table-cell>`;
  const sheet = `<table:table table:name="Animals">${text(200)
    .map((line) => `<table:table-row>${cell(line)}${cell('7')}</table:table-row>`)
    .join('')}</table:table>`;
  return {
    'notes.pdf': pdf(...Array.from({ length: 40 }, () => text(30).join('\n'))),
    'letter.docx': docx(
      text(200)
        .map((line) => paragraph(line))
        .join(''),
    ),
    'letter.odt': opendocument(
      'text',
      text(200)
        .map((line) => `<text:p>${line}</text:p>`)
        .join(''),
    ),
    'letter.rtf': Buffer.from(`{\\rtf1\\ansi ${text(200).join('\\par ')}}`),
    'book.epub': epub('Animals', [
      `<h1>One</h1><p>${text(100).join('</p><p>')}</p>`,
      `<p>${text(100).join('</p><p>')}</p>`,
    ]),
    'customers.xlsx': xlsx([{ name: 'Customers', rows: [['Name', 'Since', 'Sum'], ...rows(500)] }]),
    'animals.ods': opendocument('spreadsheet', sheet),
    'talk.pptx': pptx(text(20).map((line, i) => ({ shapes: shape(`Slide ${i}`, 'title') + shape(line) }))),
  };
}
