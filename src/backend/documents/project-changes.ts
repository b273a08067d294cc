import { Injectable } from '@nestjs/common';

/** Tells whoever keeps something derived from a project's documents that they have changed. */
@Injectable()
export class ProjectChanges {
  private readonly listeners = new Set<(userId: string, projectId: string) => void>();

  onChange(listener: (userId: string, projectId: string) => void): void {
    this.listeners.add(listener);
  }

  changed(userId: string, projectId: string): void {
    for (const listener of this.listeners) listener(userId, projectId);
  }
}
