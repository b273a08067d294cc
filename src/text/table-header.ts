/** Currency, percent and accounting signs, and thousands separators. */
const AROUND_NUMBER = /[\p{Sc}%()'\s]/gu;
const NUMBER = /^[-+]?\d[\d.,]*(?:e[-+]?\d+)?$/i;
const DATE = /^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T\s]\d.*)?$/;
const YEAR = /^(?:19|20)\d\d$/;
const isValue = (cell: string) => NUMBER.test(cell.replaceAll(AROUND_NUMBER, '')) || DATE.test(cell);

/** Whether the first row of a table names its columns: distinct words, or years. A single row is no header. */
export function isHeaderRow(first: readonly string[], second: readonly string[] | undefined): boolean {
  const names = first.filter((cell) => cell !== '');
  const words = names.filter((cell) => !isValue(cell));
  if (second === undefined || words.length === 0 || new Set(names).size < names.length) return false;
  return names.every((cell) => !isValue(cell) || YEAR.test(cell));
}
