import type { getDocumentProxy } from 'unpdf';
import { isDefaultTitle, type Property } from '../properties.ts';
import type { Bookmark, Outline } from './headings.ts';

/** A longer outline is truncated, because each of its destinations is looked up in the file. */
const MAX_BOOKMARKS = 2000;
const MAX_DEPTH = 5;
export type Pdf = Awaited<ReturnType<typeof getDocumentProxy>>;
export type PdfPage = Awaited<ReturnType<Pdf['getPage']>>;
export type TextContent = Awaited<ReturnType<PdfPage['getTextContent']>>;
type Item = Awaited<ReturnType<Pdf['getOutline']>>[number];

/** Title, author and further properties from the metadata, and the bookmarks with their pages. */
export async function outlineOf(pdf: Pdf): Promise<Outline> {
  const metadata = await pdf.getMetadata().catch(() => undefined);
  const { Title, Author, Subject, Keywords } = (metadata?.info ?? {}) as Record<string, unknown>;
  const title = oneLine(Title);
  const properties: Property[] = [
    ['Subject', oneLine(Subject)],
    ['Keywords', oneLine(Keywords)],
  ];
  const bookmarks: Bookmark[] = [];
  await collect(pdf, (await pdf.getOutline().catch(() => null)) ?? [], 1, bookmarks);
  return { title: isDefaultTitle(title) ? '' : title, author: oneLine(Author), properties, bookmarks };
}

async function collect(pdf: Pdf, items: Item[], level: number, found: Bookmark[]): Promise<void> {
  for (const { title, dest, items: below } of items) {
    if (found.length >= MAX_BOOKMARKS) return;
    const page = await pageOf(pdf, dest as string | unknown[] | null).catch(() => undefined);
    if (page !== undefined && oneLine(title) !== '') found.push({ title: oneLine(title), level, page });
    if (level < MAX_DEPTH) await collect(pdf, below as Item[], level + 1, found);
  }
}

/** A destination is a name, or a list that begins with a page (ISO 32000-1, 12.3.2). */
async function pageOf(pdf: Pdf, dest: string | unknown[] | null): Promise<number | undefined> {
  const list = (typeof dest === 'string' ? await pdf.getDestination(dest) : dest) as unknown[] | null;
  const target = list?.[0];
  if (typeof target === 'number') return target + 1;
  if (typeof target !== 'object' || target === null) return undefined;
  return (await pdf.getPageIndex(target as Parameters<Pdf['getPageIndex']>[0])) + 1;
}

const oneLine = (text: unknown) => (typeof text === 'string' ? text.replaceAll(/[\s\0]+/g, ' ').trim() : '');
