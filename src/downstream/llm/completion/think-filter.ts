const OPEN = /^\s*<(think|thinking|reasoning)>/i;
const MAYBE_OPEN = /^\s*(<[a-z]{0,9})?$/i;

export interface Thought {
  text: string;
  reasoning: string;
}

/**
 * Separates a leading `<think>…</think>` block from the answer, however the stream is split. Only at the beginning:
 * later the tag may be part of the answer.
 */
export class ThinkFilter {
  private state: 'undecided' | 'thinking' | 'answering' = 'undecided';
  private held = '';
  private close = '</think>';

  push(text: string): Thought {
    if (this.state === 'answering') return { text, reasoning: '' };
    this.held += text;
    if (this.state === 'undecided' && !this.decide()) return { text: '', reasoning: '' };
    return this.state === 'thinking' ? this.think() : this.release();
  }

  /** Returns the held text. In a block that was never closed, all of it is thinking. */
  end(): Thought {
    const { held, state } = this;
    this.held = '';
    return state === 'thinking' ? { text: '', reasoning: held } : { text: held, reasoning: '' };
  }

  private decide(): boolean {
    const open = OPEN.exec(this.held);
    if (open !== null) {
      this.state = 'thinking';
      this.close = `</${(open[1] as string).toLowerCase()}>`;
      this.held = this.held.slice(open[0].length);
      return true;
    }
    if (MAYBE_OPEN.test(this.held)) return false;
    this.state = 'answering';
    return true;
  }

  private think(): Thought {
    const at = this.held.toLowerCase().indexOf(this.close);
    if (at === -1) {
      // The end of the received text may be the beginning of the closing tag.
      const sure = Math.max(0, this.held.length - this.close.length + 1);
      const reasoning = this.held.slice(0, sure);
      this.held = this.held.slice(sure);
      return { text: '', reasoning };
    }
    const reasoning = this.held.slice(0, at);
    this.held = this.held.slice(at + this.close.length).trimStart();
    this.state = 'answering';
    return { ...this.release(), reasoning };
  }

  private release(): Thought {
    const text = this.held;
    this.held = '';
    return { text, reasoning: '' };
  }
}
