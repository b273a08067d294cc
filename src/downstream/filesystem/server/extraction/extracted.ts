import type { Warning, WarningCode } from '../../../../contract/warning.contract.ts';

/** A page or a slide, counted from 1. */
export interface Page {
  page: number;
  text: string;
}

/** A file inside a file, such as one attached to an e-mail. */
export interface Attachment {
  name: string;
  mediaType: string;
  content: Uint8Array;
}

/** The result of a reader: one text, or one for each page, and the content of the file that they lack. */
export type Extracted = ({ text: string } | { pages: Page[] }) & {
  warnings: Warning[];
  attachments?: Attachment[];
};

/** No warning for a count of 0. The count comes last in the detail, so that the sentence fits every number. */
export function counted(count: number, code: WarningCode, what: string): Warning[] {
  return count === 0 ? [] : [{ code, detail: `${what}: ${count}`, count }];
}

/** One warning for each code and kind of text, with the sum of the counts: of the parts of a file that are read one by one. */
export function summed(warnings: readonly Warning[]): Warning[] {
  const byKind = new Map<string, Warning>();
  for (const warning of warnings) {
    const kind = `${warning.code} ${warning.detail.replace(COUNT, '')}`;
    const count = (byKind.get(kind)?.count ?? 0) + (warning.count ?? 0);
    const detail = warning.detail.replace(COUNT, `: ${count}`);
    byKind.set(kind, warning.count === undefined ? warning : { ...warning, detail, count });
  }
  return [...byKind.values()];
}
const COUNT = /: \d+$/;
