/** Gives users their turn one after the other, and each user's items as well. */
export class TurnQueue<T> {
  /** By user; the first one is next. */
  private readonly queues = new Map<string, T[]>();

  add(userId: string, item: T): void {
    const queue = this.queues.get(userId) ?? [];
    queue.push(item);
    this.queues.set(userId, queue);
  }

  /** Takes an item of the next user, who goes to the end of the round. */
  next(): T | undefined {
    const [first] = this.queues;
    if (first === undefined) return undefined;
    const [userId, queue] = first;
    const item = queue.shift();
    this.queues.delete(userId);
    if (queue.length > 0) this.queues.set(userId, queue);
    return item;
  }
}
