import type { Warning } from '../../../../../contract/warning.contract.ts';
import { counted } from '../extracted.ts';
import { marginText } from './header-footer.ts';
import { oleFile } from './ole-file.ts';

/** Numbers of records in the workbook stream of an XLS (MS-XLS, 2.3.2). */
const RECORD = { header: 0x14, footer: 0x15, continued: 0x3c, object: 0x5d, textObject: 0x1b6, begin: 0x809 };
const BIFF8 = 0x600;
const CHART_STREAM = 0x20;
/** The types of objects (MS-XLS, 2.5.143). */
const OBJECT = { picture: 8, comment: 25 };
const CONTROLS = new Set([7, 11, 12, 16, 17, 18, 19, 20]);

/** The texts of an XLS beside its cells: headers, footers and text boxes; and what it holds beside texts. */
export function besideCells(content: Uint8Array): { texts: string[]; warnings: Warning[] } {
  const { paths, stream } = oleFile(content);
  const records = new Records(Buffer.from(stream('Workbook', 'Book')));
  records.read();
  const macros = paths.filter((path) => /\/_VBA_PROJECT_CUR\/?$/i.test(path)).length;
  const embedded = paths.filter((path) => /\/MBD[0-9A-F]+\/?$/i.test(path)).length;
  return {
    texts: [...records.texts],
    warnings: [
      ...counted(records.charts, 'charts_left_out', 'charts are left out'),
      ...counted(records.pictures, 'pictures_left_out', 'pictures are left out'),
      ...counted(records.controls, 'form_fields_left_out', 'controls of a form are left out'),
      ...counted(embedded, 'embedded_files_left_out', 'embedded files are left out'),
      ...counted(macros, 'macros_left_out', 'macros are left out'),
    ],
  };
}

class Records {
  readonly texts = new Set<string>();
  charts = 0;
  pictures = 0;
  controls = 0;
  /** The type of the last object. */
  private object = 0;
  private awaitsText = false;

  private readonly stream: Buffer;

  constructor(stream: Buffer) {
    this.stream = stream;
  }

  read(): void {
    for (let at = 0; at + 4 <= this.stream.length;) {
      const size = this.stream.readUInt16LE(at + 2);
      this.take(this.stream.readUInt16LE(at), this.stream.subarray(at + 4, at + 4 + size));
      at += 4 + size;
    }
  }

  private take(record: number, data: Buffer): void {
    const isContinued = record === RECORD.continued && this.awaitsText;
    this.awaitsText = false;
    if (record === RECORD.begin && data.length >= 4) this.begin(data.readUInt16LE(0), data.readUInt16LE(2));
    else if ((record === RECORD.header || record === RECORD.footer) && data.length > 3) {
      this.add(marginText(stringOf(data.subarray(2))));
    } else if (record === RECORD.object && data.length >= 6) this.takeObject(data.readUInt16LE(4));
    // A comment is read with its cell.
    else if (record === RECORD.textObject) this.awaitsText = this.object !== OBJECT.comment;
    else if (isContinued) this.add(stringOf(data));
  }

  private begin(version: number, kind: number): void {
    if (version === BIFF8 && kind === CHART_STREAM) this.charts++;
  }

  private takeObject(type: number): void {
    this.object = type;
    if (type === OBJECT.picture) this.pictures++;
    if (CONTROLS.has(type)) this.controls++;
  }

  private add(text: string): void {
    if (text.trim() !== '') this.texts.add(text.trim());
  }
}

/** A string behind its length: a flag for two bytes a character, then the characters. */
function stringOf(data: Buffer): string {
  const characters = data.subarray(1);
  return data[0] === 1 ? characters.toString('utf16le') : characters.toString('latin1');
}
