const CLOSE = '</think>';
/** The marks before and after thinking, in lower case. */
const CLOSE_OF: ReadonlyMap<string, string> = new Map([
  ['<think>', CLOSE],
  ['<thinking>', '</thinking>'],
  ['<thought>', '</thought>'],
  ['<reasoning>', '</reasoning>'],
  ['<seed:think>', '</seed:think>'],
  // Magistral
  ['[think]', '[/think]'],
  // Kimi
  ['◁think▷', '◁/think▷'],
  // gpt-oss behind a server that does not parse its channels
  ['<|channel|>analysis<|message|>', '<|end|><|start|>assistant<|channel|>final<|message|>'],
]);
const OPENS = [...CLOSE_OF.keys()];
/** A closing mark on a line of its own, as models write it after thinking. In a sentence it is part of the answer. */
const STRAY_CLOSE = /\n<\/think>[ \t]*\n/;

export interface Thought {
  text: string;
  reasoning: string;
}

/**
 * Separates leading blocks of thinking from the answer, however the stream is split. Only at the beginning: later the
 * marks may be part of the answer.
 */
export class ThinkFilter {
  private state: 'undecided' | 'thinking' | 'answering' = 'undecided';
  private held = '';
  private close = CLOSE;
  /** The thinking of a block without an opening mark; undefined where the block has one, or has ended. */
  private unopened: string | undefined;
  private hasThought = false;
  private answer = '';

  /** @param isOpened whether the prompt ends with the opening mark, so that the text contains only the closing one */
  constructor(private readonly isOpened = false) {}

  push(text: string): Thought {
    this.held += text;
    let reasoning = '';
    while (this.state !== 'answering') {
      const before = this.state;
      if (before === 'undecided') this.decide();
      else reasoning += this.think();
      if (this.state === before) return { text: '', reasoning };
    }
    const released = this.held;
    this.held = '';
    this.answer += released;
    return { text: released, reasoning };
  }

  /**
   * The held text. In a block that was opened and never closed, all of it is thinking. Without any mark, all of it is the
   * answer, unless the limit of tokens cut it.
   */
  end(isCut: boolean): Thought {
    const { held, state, unopened } = this;
    this.held = '';
    if (state !== 'thinking') return { text: held, reasoning: '' };
    const isAnswer = unopened !== undefined && !isCut;
    return { text: isAnswer ? unopened + held : '', reasoning: held };
  }

  /** Whether the next answer will have a closing mark only, as far as this one shows. */
  get isNextOpened(): boolean {
    if (this.isOpened) return this.unopened === undefined;
    return !this.hasThought && STRAY_CLOSE.test(this.answer) && !this.answer.includes('<think>');
  }

  private decide(): void {
    const begun = this.held.trimStart();
    const folded = foldCase(begun);
    const open = OPENS.find((mark) => folded.startsWith(mark));
    if (open !== undefined) {
      this.state = 'thinking';
      this.close = CLOSE_OF.get(open) as string;
      this.held = begun.slice(open.length);
    } else if (!OPENS.some((mark) => mark.startsWith(folded))) {
      this.state = this.isOpened && !this.hasThought ? 'thinking' : 'answering';
      if (this.state === 'thinking') this.unopened = '';
      // The lines between the thinking and the answer belong to neither.
      if (this.hasThought) this.held = begun;
    }
  }

  /** @returns the thinking in the held text; after its end the state is undecided again */
  private think(): string {
    const at = foldCase(this.held).indexOf(this.close);
    // Without a closing mark, the end of the held text may be the beginning of one.
    const until = at === -1 ? Math.max(0, this.held.length - this.close.length + 1) : at;
    const reasoning = this.held.slice(0, until);
    this.held = this.held.slice(until);
    if (at === -1) {
      if (this.unopened !== undefined) this.unopened += reasoning;
    } else {
      this.held = this.held.slice(this.close.length);
      this.state = 'undecided';
      this.hasThought = true;
      this.unopened = undefined;
    }
    return reasoning;
  }
}

/** Lower case for the letters of the marks. Other letters stay, because some change their length. */
const foldCase = (text: string) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
