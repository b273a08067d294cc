import type { LiveChat } from './live-chat.ts';

const KEPT = 20;

/** The chats of this page by name: a conversation's id, or `new:<project>` for one that has none yet. */
class LiveChats {
  private readonly byName = new Map<string, LiveChat>();

  get(name: string): LiveChat | undefined {
    return this.byName.get(name);
  }

  /** Lets go of the oldest that have nothing under way. */
  add(name: string, added: LiveChat): void {
    this.byName.set(name, added);
    for (const [other, chat] of this.byName) {
      if (this.byName.size > KEPT && !chat.busy && chat !== added) this.byName.delete(other);
    }
  }

  rename(from: string, to: string): void {
    const chat = this.byName.get(from);
    if (chat === undefined) return;
    this.byName.delete(from);
    this.byName.set(to, chat);
  }

  delete(name: string): void {
    this.byName.delete(name);
  }
}

export const liveChats = new LiveChats();
