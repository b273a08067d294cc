import type { Warning, WarningCode } from '../../../../../../contract/warning.contract.ts';
import { counted } from '../../extracted.ts';
import { rangesOf } from '../../page-ranges.ts';

/** @param count of what is lost, where it is not the pages themselves */
export function onPages(code: WarningCode, what: string, pages: readonly number[], count = pages.length): Warning[] {
  return counted(count, code, what).map((warning) => ({ ...warning, place: `pages ${rangesOf(pages)}` }));
}
