import { gzipSync } from 'node:zlib';
import { deflateSync, strToU8, zipSync } from 'fflate';
import { all, type Poison, put, times } from '../poison.js';

const zeros = new Uint8Array(50_000_000);

/** A PDF with one stream of zeros that is a thousandth of their size. */
function pdf(): Uint8Array<ArrayBuffer> {
  const stream = Buffer.from(deflateSync(zeros)).toString('latin1');
  const head =
    '%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n';
  const page = '3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>endobj\n';
  const body = `4 0 obj<</Length ${stream.length}/Filter/FlateDecode>>stream\n${stream}\nendstream endobj\ntrailer<</Root 1 0 R>>`;
  return new Uint8Array(Buffer.from(head + page + body, 'latin1'));
}

const PDF = pdf();
const DOCX = new Uint8Array(zipSync({ 'word/document.xml': zeros }));
const ZIP = new Uint8Array(zipSync({ 'a.md': zeros, 'b.zip': zipSync({ 'c.md': strToU8('x') }) }));

const TAR = new Uint8Array(gzipSync(Buffer.concat([Buffer.alloc(257), Buffer.from('ustar'), zeros]), { level: 9 }));

/** A million columns in a million rows, each cell with a word. */
function ods(): Uint8Array<ArrayBuffer> {
  const cell = '<table:table-cell table:number-columns-repeated="1000000"><text:p>word</text:p></table:table-cell>';
  const row = `<table:table-row table:number-rows-repeated="1000000">${cell}</table:table-row>`;
  const content = `<x><table:table table:name="a">${row.repeat(1000)}</table:table></x>`;
  return new Uint8Array(
    zipSync({
      mimetype: [strToU8('application/vnd.oasis.opendocument.spreadsheet'), { level: 0 }],
      'content.xml': strToU8(content),
    }),
  );
}
const ODS = ods();

export const poison: Poison = {
  name: 'a user uploads archives and files that unpack to a thousand times their size',
  against: 'memory and time spent on a few bytes',
  send: (stage) => {
    const archive = { 'content-type': 'application/zip' };
    return all([
      ...times(3, (i) =>
        put(stage, `bomb${i}.docx`, DOCX, 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'),
      ),
      ...times(3, (i) => put(stage, `bomb${i}.pdf`, PDF, 'application/pdf')),
      ...times(3, (i) => put(stage, `bomb${i}.ods`, ODS, 'application/vnd.oasis.opendocument.spreadsheet')),
      ...times(3, () =>
        stage.attacker.request('POST', `/v1/api/projects/${stage.project}/documents`, TAR, {
          'content-type': 'application/gzip',
        }),
      ),
      ...times(3, () => stage.attacker.request('POST', `/v1/api/projects/${stage.project}/documents`, ZIP, archive)),
    ]);
  },
};
