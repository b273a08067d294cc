import { Injectable } from '@nestjs/common';

/** A deleted object: a document of a project, a project with all its data, a conversation, or one turn of it. */
export type Deletion = { userId: string } & (
  | { kind: 'document'; projectId: string }
  | { kind: 'project'; projectId: string }
  | { kind: 'conversation'; conversationId: string }
  | { kind: 'turn'; conversationId: string; messageId: string }
);

/** The objects that an answer depends on, for the stores that keep answers. */
export interface About {
  projectId: string | null;
  conversationId?: string;
  messageId?: string;
}

/**
 * Whether an answer must be deleted with the deleted object. An answer that quotes from a project may quote the deleted
 * document.
 */
export function isAbout({ projectId, conversationId, messageId }: About, deletion: Deletion): boolean {
  if (deletion.kind === 'turn') return deletion.messageId === messageId && deletion.conversationId === conversationId;
  if (deletion.kind === 'conversation') return deletion.conversationId === conversationId;
  return deletion.projectId === projectId && (deletion.kind === 'project' || conversationId !== undefined);
}

/** Announces deletions to the stores that keep answers, so that deleted content is not returned again. */
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
