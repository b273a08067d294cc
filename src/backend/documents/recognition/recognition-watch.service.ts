import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { InjectConfig } from '../../../config/config.module.js';
import type { Config } from '../../../config/config.schema.js';
import { FilesystemClient } from '../../../downstream/filesystem/filesystem.client.js';
import { DownstreamError } from '../../../resilience/policy/downstream-error.js';
import { ServiceRegistry } from '../../../resilience/service-registry.js';
import { DocumentSync } from '../document-sync.service.js';
import { ProjectEvents } from '../../projects/project-events.js';

const AUTHOR = { name: 'Caudex', email: '' };
const CALL_MS = 10_000;
/** How often to ask while pictures wait: at first soon, because a picture takes seconds, then less often. */
const POLL_MS = { first: 500, growth: 1.5, max: 10_000 };

/**
 * Brings index and history in step with the texts that the filesystem server recognises in the background. It asks only
 * while pictures wait, and once after each start of the filesystem server, which may have waiting ones from before.
 * What it misses is found by the comparison of the stores.
 */
@Injectable()
export class RecognitionWatch implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  /** Ends the current wait. */
  private wake = new AbortController();
  private isWaiting = false;
  private instance: string | undefined;
  private afterMs = 0;

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly filesystem: FilesystemClient,
    private readonly sync: DocumentSync,
    private readonly events: ProjectEvents,
    private readonly services: ServiceRegistry,
    private readonly log: PinoLogger,
  ) {}

  onApplicationBootstrap(): void {
    this.running = this.watch();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    this.wake.abort();
    await this.running;
  }

  /** A document was stored of which pictures wait. */
  expect(): void {
    this.isWaiting = true;
    this.wake.abort();
  }

  private async watch(): Promise<void> {
    const { signal } = this.stopping;
    let waitMs = POLL_MS.first;
    while (!signal.aborted) {
      // `expect` ends a long wait, but not the short one between two questions.
      const isWoken = await this.wait(this.isWaiting ? waitMs : this.config.documents.compare_ms);
      if (signal.aborted) return;
      const { instance } = this.services.get('filesystem') ?? {};
      if (!this.isWaiting && (instance === undefined || instance === this.instance)) continue;
      const found = await this.ask(signal).catch((error: unknown) => this.notAsked(error));
      if (found !== undefined) this.instance = instance;
      waitMs = isWoken || (found ?? 0) > 0 ? POLL_MS.first : Math.min(waitMs * POLL_MS.growth, POLL_MS.max);
    }
  }

  /** @returns whether `expect` ended the wait */
  private async wait(ms: number): Promise<boolean> {
    this.wake = new AbortController();
    await sleep(ms, undefined, { signal: this.wake.signal, ref: false }).catch(() => undefined);
    return this.wake.signal.aborted;
  }

  /** @returns the number of documents that got a text */
  private async ask(signal: AbortSignal): Promise<number> {
    const call = { requestId: 'recognition', signal, deadlineMs: performance.now() + CALL_MS };
    const { documents, until_ms, pending } = await this.filesystem.recognised(
      { query: { after_ms: this.afterMs } },
      call,
    );
    for (const { user_id: userId, project_id: projectId, path, version } of documents) {
      const project = { userId, projectId };
      const commit = { path, version, author: AUTHOR, message: `Recognise the text of ${path}` };
      await this.sync.commitAll(project, [{ ...commit, committed_at: new Date().toISOString() }]);
      await this.sync.index(project, [path]);
      this.events.changed(userId, projectId);
    }
    this.afterMs = until_ms;
    // A document that was stored during the question may be unknown to the answer.
    this.isWaiting = pending > 0 || this.wake.signal.aborted;
    return documents.length;
  }

  private notAsked(error: unknown): undefined {
    // An outage: the next question follows.
    if (error instanceof DownstreamError) return;
    this.log.error({ err: error }, 'Recognised texts were not brought into index and history');
  }
}
