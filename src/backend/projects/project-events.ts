import { Injectable } from '@nestjs/common';

type Listener = (userId: string, projectId: string) => void | Promise<void>;

/** Events of a project, for every feature that stores data of it. */
@Injectable()
export class ProjectEvents {
  private readonly changeListeners: Listener[] = [];
  private readonly deletionListeners: Listener[] = [];

  /** A document of the project was written or deleted, or the project itself was deleted. */
  onChange(listener: (userId: string, projectId: string) => void): void {
    this.changeListeners.push(listener);
  }

  /** The project was deleted. The deletion is complete when every listener has finished. */
  onDelete(listener: Listener): void {
    this.deletionListeners.push(listener);
  }

  changed(userId: string, projectId: string): void {
    for (const listener of this.changeListeners) void listener(userId, projectId);
  }

  async deleted(userId: string, projectId: string): Promise<void> {
    this.changed(userId, projectId);
    await Promise.all(this.deletionListeners.map(async (listener) => listener(userId, projectId)));
  }
}
