import { extractText, getDocumentProxy } from 'unpdf';
import type { DecodedText } from '../charset.ts';
import { Fault } from './fault.ts';

export async function fromPdf(content: Uint8Array): Promise<DecodedText> {
  try {
    const { text } = await extractText(await getDocumentProxy(content, { verbosity: 0 }), { mergePages: false });
    return { text: text.join('\n\n'), warnings: [] };
  } catch (error) {
    const { name, message } = error as Error;
    if (name === 'PasswordException') throw new Fault('it is protected by a password');
    throw new Fault(`it is not a PDF that can be read (${message})`);
  }
}
