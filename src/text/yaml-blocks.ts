import type { Block } from './block.js';
import { blocksOfLines, type Line, type LineReader } from './lines.js';
import type { Paced } from './paced.js';

const MAX_DEPTH = 8;
const MAX_KEY_CHARS = 200;
/** A key without a value on its line: the lines indented below it belong to it. */
const KEY = /^(["']?)([^\s"'#:[\]{}-][^"'#[\]{}]*)\1:(?:\s+[&!]\S*)*$/;
/** The beginning of a multi-line text, which follows on the lines below. */
const TEXT_BELOW = /[:-]\s+[|>][-+\d]*\s*(?:#.*)?$/;

interface Key {
  name: string;
  indent: number;
}

/**
 * The blocks of YAML. Each key with further keys below it is a heading, so that the title of a passage is the path to
 * it.
 */
export function yamlBlocks(text: string): Paced<Block> {
  return blocksOfLines(text, new YamlBlocks(text));
}

class YamlBlocks implements LineReader {
  readonly found: Block[] = [];
  private open: Block | undefined;
  private readonly keys: Key[] = [];
  /** The depth of the heading above the last block. */
  private depth = 0;
  /** The indentation of the line above a multi-line text. */
  private textIndent: number | undefined;

  constructor(private readonly text: string) {}

  take(line: Line): void {
    if (line.indent === line.end) return;
    const indent = line.indent - line.start;
    if (this.textIndent !== undefined && indent > this.textIndent) return this.extend(line);
    const words = this.text.slice(line.indent, Math.min(line.end, line.indent + MAX_KEY_CHARS)).trimEnd();
    this.textIndent = TEXT_BELOW.test(words) ? indent : undefined;
    // The items of a list may have the same indentation as their key.
    const isItem = words === '-' || words.startsWith('- ');
    while (this.keys.length > 0 && isAbove(this.keys.at(-1) as Key, indent, isItem)) this.keys.pop();
    if (words === '---' || words === '...') this.keys.length = 0;
    const name =
      line.end - line.indent > MAX_KEY_CHARS ? undefined : KEY.exec(words.replace(/\s#.*$/, '').trimEnd())?.[2];
    if (name !== undefined && this.keys.length < MAX_DEPTH) this.heading(name.trim(), indent, line);
    else this.value(line);
  }

  private heading(name: string, indent: number, { start, end }: Line): void {
    this.end();
    this.keys.push({ name, indent });
    this.depth = this.keys.length;
    this.found.push({ kind: 'heading', start, end, level: this.depth, title: name });
  }

  private value(line: Line): void {
    if (this.depth !== this.keys.length) {
      this.end();
      this.depth = this.keys.length;
      const key = this.keys.at(-1);
      const { start } = line;
      // Values that follow a deeper key belong to their own key again.
      const level = Math.max(1, this.depth);
      this.found.push({ kind: 'heading', start, end: start, level, title: key?.name ?? '' });
    }
    this.extend(line);
  }

  private extend({ start, end }: Line): void {
    if (this.open === undefined) this.open = { kind: 'code', start, end, level: 0, title: '' };
    else this.open.end = end;
  }

  end(): void {
    if (this.open !== undefined) this.found.push(this.open);
    this.open = undefined;
  }
}

const isAbove = ({ indent: own }: Key, indent: number, isItem: boolean) => (isItem ? own > indent : own >= indent);
