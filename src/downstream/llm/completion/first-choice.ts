import type { Choice } from './chunk.schema.js';

/** So many choices of one other index show that the endpoint does not number from 0. */
const ENOUGH = 2;

/** Picks one of several choices: that of index 0 or without an index, or of another index where there is no 0. */
export class FirstChoice {
  private index: number | undefined;
  /** Choices of another index, until it is clear whether there is an index 0. */
  private held: Choice[] = [];

  pick(choices: readonly Choice[]): Choice[] {
    return choices.flatMap((choice) => this.pickOne(choice));
  }

  /** The held choices, where there was no index 0. */
  rest(): Choice[] {
    const { held } = this;
    this.held = [];
    return held;
  }

  private pickOne(choice: Choice): Choice[] {
    const index = choice.index ?? 0;
    if (this.index !== undefined) return index === this.index ? [choice] : [];
    if (index === 0) {
      this.index = 0;
      this.held = [];
      return [choice];
    }
    if (this.held[0] !== undefined && this.held[0].index !== index) return [];
    this.held.push(choice);
    if (this.held.length < ENOUGH) return [];
    this.index = index;
    return this.rest();
  }
}
