/** How a service that has just come back gets its load again: 1 attempt at a time, then 2, 4 … up to the ceiling. */
export class Ramp {
  private limit = 1;
  private active = 0;
  private successes = 0;

  constructor(private readonly ceiling: number) {}

  get hasRoom(): boolean {
    return this.active < this.limit || this.isOver;
  }

  get isOver(): boolean {
    return this.limit >= this.ceiling;
  }

  enter(): void {
    this.active++;
  }

  /** The step is twice as high once as many attempts as it allows have succeeded. */
  leave(succeeded: boolean): void {
    this.active--;
    if (!succeeded || ++this.successes < this.limit) return;
    this.limit *= 2;
    this.successes = 0;
  }
}
