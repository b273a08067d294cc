import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { ProjectChanges } from '../documents/project-changes.js';
import type { Retrieved, RetrievalQuery } from './retrieval.service.js';

/** The last good results of a query, for when nothing else answers; any change to a project empties its part. */
@Injectable()
export class ResultCache {
  private readonly results: LRUCache<string, Retrieved>;
  /** How often each project has changed: part of the key, so that results of an earlier state are never found. */
  private readonly generations = new Map<string, number>();

  constructor(@InjectConfig() { cache }: Config, changes: ProjectChanges) {
    this.results = new LRUCache({ maxSize: cache.max_bytes, sizeCalculation: bytesOf, ttl: cache.ttl_ms });
    changes.onChange((userId, projectId) => {
      const project = `${userId}/${projectId}`;
      this.generations.set(project, (this.generations.get(project) ?? 0) + 1);
    });
  }

  put(userId: string, query: RetrievalQuery, found: Retrieved): void {
    this.results.set(this.key(userId, query), found);
  }

  get(userId: string, query: RetrievalQuery): Retrieved | undefined {
    return this.results.get(this.key(userId, query));
  }

  private key(userId: string, { projectId, query, limit, offset, mode }: RetrievalQuery): string {
    const project = `${userId}/${projectId}`;
    const words = query.normalize('NFKC').toLowerCase().trim().replace(/\s+/g, ' ');
    return JSON.stringify([project, this.generations.get(project) ?? 0, mode, limit, offset, words]);
  }
}

/** Roughly what a result takes in memory. */
function bytesOf({ results }: Retrieved): number {
  return results.reduce((sum, { text, highlights }) => sum + 500 + 2 * (text.length + highlights.join('').length), 500);
}
