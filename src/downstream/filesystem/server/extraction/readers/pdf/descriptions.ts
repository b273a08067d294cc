import type { PdfPage } from './outline.ts';

interface Node {
  role?: string;
  /** The alternative text. */
  alt?: string;
  children?: Node[];
}

/** The descriptions of the pictures of a tagged page, in the order of its structure (ISO 32000-1, 14.9.3). */
export async function descriptionsOf(page: PdfPage): Promise<string[]> {
  const root = (await page.getStructTree().catch(() => null)) as Node | null;
  const found: string[] = [];
  // The structure may be of any depth.
  for (const open = root === null ? [] : [root]; open.length > 0;) {
    const { role, alt = '', children = [] } = open.pop() as Node;
    if (role === 'Figure' && alt.trim() !== '') found.push(alt.trim());
    for (let i = children.length - 1; i >= 0; i--) open.push(children[i] as Node);
  }
  return found;
}
