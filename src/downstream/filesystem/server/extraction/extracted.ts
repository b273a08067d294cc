import type { Warning } from '../../../../contract/warning.contract.ts';

/** A page or a slide, counted from 1. */
export interface Page {
  page: number;
  text: string;
}

/** A file in a file, such as one that came with an e-mail. */
export interface Attachment {
  name: string;
  mediaType: string;
  content: Uint8Array;
}

/** What a reader takes out of a file: one text, or one for each page, and what they do not have of the file. */
export type Extracted = ({ text: string } | { pages: Page[] }) & {
  warnings: Warning[];
  attachments?: Attachment[];
};

/** Undefined for none, so that warnings can be listed with a spread. */
export function counted(count: number, code: string, what: string): Warning[] {
  return count === 0 ? [] : [{ code, detail: `${count} ${what}`, count }];
}
