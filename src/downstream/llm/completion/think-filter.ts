import { endsThinking, findClose, leadingMark } from './think-marks.js';

export interface Thought {
  text: string;
  reasoning: string;
  /** Whether all text that was returned before was thinking, because only now its closing mark has arrived. */
  retracts: boolean;
}

/**
 * Separates leading blocks of thinking from the answer, however the stream is split. Only at the beginning: later the
 * marks may be part of the answer. Some prompt templates open the block themselves, so that the text has only the closing
 * mark. Where this is not known beforehand, the thinking is returned as text, without a delay, and retracted at its end.
 */
export class ThinkFilter {
  private state: 'undecided' | 'thinking' | 'answering' = 'undecided';
  private held = '';
  /** The marks that end the block; undefined: any, because the block has no opening mark. */
  private closes: readonly string[] | undefined;
  /** The thinking of a block without an opening mark; undefined where the block has one, or has ended. */
  private unopened: string | undefined;
  private hasThought = false;
  private hasRetracted = false;
  /** The answer up to its first closing mark. */
  private answer = '';
  private isWatching = true;

  /** @param isOpened whether the prompt ends with the opening mark, so that the text contains only the closing one */
  constructor(private isOpened = false) {}

  push(text: string): Thought {
    this.held += text;
    const thought: Thought = { text: '', reasoning: '', retracts: false };
    for (let before; before !== this.state;) {
      before = this.state;
      if (before === 'undecided') this.decide();
      else if (before === 'thinking') thought.reasoning += this.think();
      else this.pass(thought);
    }
    return thought;
  }

  /** The endpoint sends the thinking in a field of its own, so that the text is not within a block. */
  thinksElsewhere(): void {
    if (this.state === 'undecided') this.isOpened = false;
  }

  /**
   * The held text. In a block that was opened and never closed, all of it is thinking. Without any mark, all of it is the
   * answer, unless the limit of tokens cut it.
   */
  end(isCut: boolean): Thought {
    const { held, state, unopened } = this;
    this.held = '';
    if (state !== 'thinking') return { text: held, reasoning: '', retracts: false };
    const isAnswer = unopened !== undefined && !isCut;
    return { text: isAnswer ? unopened + held : '', reasoning: held, retracts: false };
  }

  /** Whether the next answer will have a closing mark only, as far as this one shows. */
  get isNextOpened(): boolean {
    return this.isOpened ? this.unopened === undefined : this.hasRetracted;
  }

  private decide(): void {
    const begun = this.held.trimStart();
    const mark = leadingMark(begun);
    if (mark === 'undecided') return;
    if (mark === 'none') {
      this.state = this.isOpened && !this.hasThought ? 'thinking' : 'answering';
      if (this.state === 'thinking') this.unopened = '';
      // The lines between the thinking and the answer belong to neither.
      if (this.hasThought) this.held = begun;
    } else if (mark.kind === 'open') {
      this.state = 'thinking';
      this.closes = mark.closes;
      this.held = begun.slice(mark.length);
    } else {
      // The block that the prompt has opened is empty.
      this.endBlock(begun.slice(mark.length));
      this.decide();
    }
  }

  /** @returns the thinking in the held text; after its end the state is undecided again */
  private think(): string {
    const { at, length } = findClose(this.held, this.closes);
    const reasoning = this.held.slice(0, at);
    this.held = this.held.slice(at);
    if (length > 0) this.endBlock(this.held.slice(length));
    else if (this.unopened !== undefined) this.unopened += reasoning;
    return reasoning;
  }

  private pass(thought: Thought): void {
    const { at, length } =
      this.isWatching && !this.hasThought ? findClose(this.held) : { at: this.held.length, length: 0 };
    const before = this.held.slice(0, at);
    if (length > 0 && endsThinking(this.answer + before)) {
      thought.retracts = this.answer !== '';
      thought.reasoning += before;
      this.hasRetracted = true;
      this.endBlock(this.held.slice(at + length));
      return;
    }
    // A text that writes about the marks goes on doing so.
    if (length > 0) this.isWatching = false;
    const released = length > 0 ? this.held : before;
    this.held = this.held.slice(released.length);
    this.answer += this.isWatching ? released : '';
    thought.text += released;
  }

  private endBlock(rest: string): void {
    this.held = rest;
    this.state = 'undecided';
    this.closes = undefined;
    this.hasThought = true;
    this.unopened = undefined;
  }
}
