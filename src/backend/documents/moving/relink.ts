import { posix } from 'node:path';
import { NamedDocuments } from '../../../text/named-documents.js';
import { Slices } from '../slices.js';

const INLINE = /\]\((<[^<>]{1,500}>|[^()<>\s]{1,500})(?=[)\s])/g;
const WIKI = /\[\[([^[\]|#]{1,255})(?=[\]|#])/g;

/** The paths of all documents before and after a move. */
export class Relocation {
  private readonly before: ReadonlySet<string>;
  private readonly namedBefore: NamedDocuments;
  private readonly namedAfter: NamedDocuments;
  private readonly old: ReadonlyMap<string, string>;

  /** @param moved the new paths by the old ones */
  constructor(
    private readonly moved: ReadonlyMap<string, string>,
    after: readonly string[],
  ) {
    this.old = new Map([...moved].map(([from, to]) => [to, from]));
    this.before = new Set(after.map((path) => this.pathBefore(path)));
    this.namedBefore = new NamedDocuments(this.before);
    this.namedAfter = new NamedDocuments(after);
  }

  /** The path of a document before the move. */
  pathBefore(path: string): string {
    return this.old.get(path) ?? path;
  }

  /**
   * The text of a document with its Markdown and wiki links changed so that they point to the same documents as before the
   * move. Links in code, and those that are right already, stay as they are.
   * @param path of the document after the move
   */
  async relink(text: string, path: string): Promise<string> {
    const slices = new Slices();
    const lines: string[] = [];
    let fence: string | undefined;
    for (const line of text.split('\n')) {
      const mark = /^ {0,3}(```+|~~~+)/.exec(line)?.[1];
      const isText = fence === undefined && mark === undefined;
      if (fence === undefined) fence = mark;
      else if (mark?.startsWith(fence) === true) fence = undefined;
      const hasLinks = isText && (line.includes('](') || line.includes('[['));
      lines.push(hasLinks ? await this.relinkLine(line, path, slices) : line);
      await slices.next();
    }
    return lines.join('\n');
  }

  private async relinkLine(line: string, path: string, slices: Slices): Promise<string> {
    const parts = line.split(/(`[^`]*`)/);
    for (let i = 0; i < parts.length; i += 2) {
      parts[i] = await this.relinkPart(parts[i] as string, path, slices);
      await slices.next();
    }
    return parts.join('');
  }

  private async relinkPart(part: string, path: string, slices: Slices): Promise<string> {
    const inline = await replaced(part, INLINE, slices, (link, target) => {
      const isQuoted = target.startsWith('<');
      const changed = this.target(isQuoted ? target.slice(1, -1) : target, path, isQuoted);
      return changed === undefined ? link : `](${isQuoted ? `<${changed}>` : changed}`;
    });
    return replaced(inline, WIKI, slices, (link, name) => {
      const changed = this.name(name, path);
      return changed === undefined ? link : `[[${changed}`;
    });
  }

  /** The new target of an inline link; undefined where it stays. */
  private target(target: string, path: string, isQuoted: boolean): string | undefined {
    const plain = target.split(/[#?]/)[0] ?? '';
    if (plain === '' || /^[a-z][a-z0-9+.-]*:/i.test(plain)) return undefined;
    const wanted = this.newPath(resolved(plain, this.pathBefore(path)));
    if (wanted === undefined || resolved(plain, path) === wanted) return undefined;
    const relative = posix.relative(posix.dirname(path), wanted);
    const link = plain.startsWith('/') ? `/${wanted}` : plain.startsWith('./') ? `./${relative}` : relative;
    return (isQuoted ? link : encoded(link)) + target.slice(plain.length);
  }

  /** The new name in a wiki link; undefined where it stays. */
  private name(name: string, path: string): string | undefined {
    const wanted = this.newPath(this.namedBefore.find(name, this.pathBefore(path)));
    const isRight = (candidate: string) => this.namedAfter.find(candidate, path) === wanted;
    if (wanted === undefined || isRight(name)) return undefined;
    const full = /\.(?:md|markdown)$/i.test(name.trim()) ? wanted : wanted.replace(/\.(?:md|markdown)$/i, '');
    return [posix.basename(full), full].find(isRight);
  }

  /** Where a document is after the move; undefined where there was none. */
  private newPath(path: string | undefined): string | undefined {
    if (path === undefined || !this.before.has(path)) return undefined;
    return this.moved.get(path) ?? path;
  }
}

/** `String.replace` in slices, because one line may hold a million links. */
async function replaced(
  text: string,
  pattern: RegExp,
  slices: Slices,
  replace: (match: string, group: string) => string,
): Promise<string> {
  const parts: string[] = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    parts.push(text.slice(end, match.index), replace(match[0], match[1] ?? ''));
    end = match.index + match[0].length;
    await slices.next();
  }
  return parts.join('') + text.slice(end);
}

function resolved(target: string, from: string): string {
  let decoded = target;
  try {
    decoded = decodeURIComponent(target);
  } catch {
    // A lone percent sign stands for itself.
  }
  return posix.normalize(decoded.startsWith('/') ? decoded.slice(1) : posix.join(posix.dirname(from), decoded));
}

/** Only what would end or change a target in Markdown is encoded. */
function encoded(link: string): string {
  return link.replace(/[\s()<>%#?]/g, (char) =>
    char === '(' ? '%28' : char === ')' ? '%29' : encodeURIComponent(char),
  );
}
