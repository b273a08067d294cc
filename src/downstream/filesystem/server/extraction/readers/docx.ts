import mammoth from 'mammoth';
import type { DecodedText } from '../charset.ts';
import { Fault } from './fault.ts';
import { htmlToText } from './html.ts';
import { refuseZipBomb } from './zip-bomb.ts';

/** The parts of a DOCX may unpack to so many times the largest text: markup is bulky, a zip bomb is bulkier. */
const MAX_MARKUP_RATIO = 10;

export async function fromDocx(content: Uint8Array, maxTextBytes: number): Promise<DecodedText> {
  if (content[0] !== 0x50 || content[1] !== 0x4b) throw new Fault('it is not a DOCX: these are ZIP archives');
  refuseZipBomb(content, maxTextBytes * MAX_MARKUP_RATIO);
  const noImages = mammoth.images.imgElement(() => Promise.resolve({ src: '' }));
  let html: string;
  try {
    html = (await mammoth.convertToHtml({ buffer: Buffer.from(content) }, { convertImage: noImages })).value;
  } catch (error) {
    throw new Fault(`it is not a DOCX that can be read (${(error as Error).message.split(' : ')[0]})`);
  }
  return htmlToText(html);
}
