import { Injectable } from '@nestjs/common';
import type { ProjectKey } from '../../../../text/lexical-index.js';

/** Runs the writes of one project one after the other, in order of arrival. */
@Injectable()
export class ProjectLock {
  private readonly last = new Map<string, Promise<unknown>>();

  async run<T>({ userId, projectId }: ProjectKey, work: () => Promise<T>): Promise<T> {
    const name = `${userId}/${projectId}`;
    const before = this.last.get(name) ?? Promise.resolve();
    const result = before.then(work, work);
    this.last.set(name, result);
    try {
      return await result;
    } finally {
      if (this.last.get(name) === result) this.last.delete(name);
    }
  }
}
