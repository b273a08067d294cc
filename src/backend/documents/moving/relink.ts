import { posix } from 'node:path';
import { NamedDocuments } from '../../../text/named-documents.js';

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
  relink(text: string, path: string): string {
    let fence: string | undefined;
    return text
      .split('\n')
      .map((line) => {
        const mark = /^ {0,3}(```+|~~~+)/.exec(line)?.[1];
        if (fence !== undefined) {
          if (mark?.startsWith(fence) === true) fence = undefined;
          return line;
        }
        fence = mark;
        return mark === undefined ? this.relinkLine(line, path) : line;
      })
      .join('\n');
  }

  private relinkLine(line: string, path: string): string {
    if (!line.includes('](') && !line.includes('[[')) return line;
    return line
      .split(/(`[^`]*`)/)
      .map((part, i) => (i % 2 === 1 ? part : this.relinkPart(part, path)))
      .join('');
  }

  private relinkPart(part: string, path: string): string {
    return part
      .replace(/\]\((<[^<>]{1,500}>|[^()<>\s]{1,500})(?=[)\s])/g, (link, target: string) => {
        const isQuoted = target.startsWith('<');
        const changed = this.target(isQuoted ? target.slice(1, -1) : target, path, isQuoted);
        return changed === undefined ? link : `](${isQuoted ? `<${changed}>` : changed}`;
      })
      .replace(/\[\[([^[\]|#]{1,255})(?=[\]|#])/g, (link, name: string) => {
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
