import { Injectable } from '@nestjs/common';

/** What somebody has deleted: a document of a project, a project with all that belongs to it, a conversation, or one turn of it. */
export type Deletion = { userId: string } & (
  | { kind: 'document'; projectId: string }
  | { kind: 'project'; projectId: string }
  | { kind: 'conversation'; conversationId: string }
  | { kind: 'turn'; conversationId: string; messageId: string }
);

/** What an answer is about, for those who keep it. */
export interface About {
  projectId: string | null;
  conversationId?: string;
  messageId?: string;
}

/** Whether an answer goes with what was deleted: one that quotes from a project may quote the document. */
export function isAbout({ projectId, conversationId, messageId }: About, deletion: Deletion): boolean {
  if (deletion.kind === 'turn') return deletion.messageId === messageId && deletion.conversationId === conversationId;
  if (deletion.kind === 'conversation') return deletion.conversationId === conversationId;
  return deletion.projectId === projectId && (deletion.kind === 'project' || conversationId !== undefined);
}

/** Announces deletions to the stores that keep answers, so that nothing deleted is returned again. */
@Injectable()
export class Deletions {
  private readonly listeners = new Set<(deletion: Deletion) => void>();

  onDelete(listener: (deletion: Deletion) => void): void {
    this.listeners.add(listener);
  }

  deleted(deletion: Deletion): void {
    for (const listener of this.listeners) listener(deletion);
  }
}
