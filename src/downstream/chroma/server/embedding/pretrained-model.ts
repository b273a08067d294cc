import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Injectable, type OnModuleInit } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { InjectConfig } from '../../../../config/config.module.js';
import type { Config } from '../../../../config/config.schema.js';
import { fetchModel } from '../inference/hub.js';
import { readModelFolder } from '../inference/model-folder.js';
import { type Embedder, EmbeddingError } from './embedder.js';
import { EndpointModel } from './endpoint.model.js';
import { LocalModel } from './local.model.js';
import { type Prefixes, prefixesOf } from './model-family.js';
import { PretrainedEmbedder } from './pretrained.embedder.js';
import type { TextModel } from './text-model.js';

/** The prefix of the names of generations that a model from a folder embedded. */
const LOCAL = 'model ';
const RETRY_MS = 60_000;
const MAX_RETRY_MS = 3_600_000;

const NOT_THERE = 'The embedding model was';
const MEANWHILE =
  'Until it is there, search goes by words and by what is learned from each project. It is tried again in the background.';

interface Named {
  /** The name of the generations that it embeds. */
  name: string;
  /** The name of the model for people. */
  label: string;
  model: TextModel;
  embedder: Embedder;
}

/** Rejects with the reason why the model is unavailable. */
const AWAY: Embedder = {
  embed: () => Promise.reject(new EmbeddingError('fault', 'The embedding model cannot be loaded')),
  embedQuestion: () => Promise.reject(new EmbeddingError('fault', 'The embedding model cannot be loaded')),
  captured: () => 1,
};

/**
 * The pretrained model, if there is one: behind an endpoint, in a folder, or downloaded from a hub once. Until a model
 * from a folder is loaded, projects are embedded without it.
 */
@Injectable()
export class PretrainedModel implements OnModuleInit, BeforeApplicationShutdown {
  private found: Named | undefined;
  private loaded = false;
  private failed = false;
  private readonly stopping = new AbortController();
  /** Called when a model from a folder has been loaded. */
  onLoaded: () => void = () => undefined;

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly log: PinoLogger,
  ) {
    const { url, model } = config.chroma.embeddings;
    if (url === null || model === null) return;
    const endpoint = new EndpointModel({ url, model, apiKey: config.secrets.embeddings_api_key });
    this.found = this.named(`endpoint ${model}`, model, endpoint, prefixesOf(model));
    this.loaded = true;
  }

  /** Runs in the background: loading a model takes seconds, downloading one minutes. */
  onModuleInit(): void {
    const { model_dir, download } = this.config.chroma.embeddings;
    if (this.loaded) return;
    if (model_dir !== null) void this.untilDone(() => this.load(model_dir), 'loaded');
    else if (download.model !== null) void this.fetchAndLoad(download.hub_url, download.model);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.found?.model.end?.();
  }

  /** The embedder of new generations; undefined: the built-in embedders. */
  get current(): string | undefined {
    return this.loaded ? this.found?.name : undefined;
  }

  /** The model's name for people; undefined while there is none. */
  get label(): string | undefined {
    return this.loaded ? this.found?.label : undefined;
  }

  /** Why a configured model does not embed. A failed download is not reported here, because nothing depends on it. */
  get fault(): EmbeddingError['reason'] | undefined {
    const isMissed = this.config.chroma.embeddings.model_dir !== null && !this.loaded;
    return this.failed && isMissed ? 'fault' : undefined;
  }

  /** Whether a generation belongs to this model, also while the model cannot be loaded: its vectors are kept. */
  made(embedder: string): boolean {
    if (this.found !== undefined) return embedder === this.found.name;
    return this.config.chroma.embeddings.model_dir !== null && embedder.startsWith(LOCAL);
  }

  get embedder(): Embedder {
    return this.found?.embedder ?? AWAY;
  }

  private named(name: string, label: string, model: TextModel, family: Prefixes): Named {
    const { query_prefix, passage_prefix, query_timeout_ms } = this.config.chroma.embeddings;
    const prefixes = { query: query_prefix ?? family.query, passage: passage_prefix ?? family.passage };
    return {
      // With another prefix the vectors of passages differ.
      name: `${name}${prefixes.passage === '' ? '' : ` ${JSON.stringify(prefixes.passage)}`}`,
      label,
      model,
      embedder: new PretrainedEmbedder(model, { prefixes, queryTimeoutMs: query_timeout_ms }),
    };
  }

  private async load(dir: string): Promise<void> {
    const startedAt = performance.now();
    const folder = readModelFolder(dir);
    const family = prefixesOf(folder.name);
    const prefixes = {
      query: folder.prompts.query ?? family.query,
      passage: folder.prompts.passage ?? family.passage,
    };
    const model = new LocalModel(folder);
    this.found = this.named(`${LOCAL}${folder.name} (${folder.modelBytes} bytes)`, folder.name, model, prefixes);
    await model.load();
    if (this.stopped) return;
    this.loaded = true;
    this.log.info(`The embedding model ${folder.name} was loaded in ${Math.round(performance.now() - startedAt)} ms`);
    this.onLoaded();
  }

  private async fetchAndLoad(hubUrl: string, model: string): Promise<void> {
    const dir = join(this.config.data_dir, 'chroma', 'models');
    let folder = '';
    await this.untilDone(async () => {
      folder = await fetchModel({ hubUrl, model, dir, signal: this.stopping.signal });
    }, `fetched from ${hubUrl}`);
    await this.untilDone(() => this.load(folder), 'loaded');
  }

  /** Tries again, at growing intervals. Only the first failure is logged. */
  private async untilDone(work: () => Promise<void>, done: string): Promise<void> {
    for (let retryMs = RETRY_MS; !this.stopped; retryMs = Math.min(2 * retryMs, MAX_RETRY_MS)) {
      try {
        return await work();
      } catch (error) {
        if (this.stopped) return;
        if (!this.failed) this.log.warn(`${NOT_THERE} not ${done}: ${messageOf(error)}. ${MEANWHILE}`);
        this.failed = true;
      }
      await wait(retryMs, undefined, { signal: this.stopping.signal, ref: false }).catch(() => undefined);
    }
  }

  private get stopped(): boolean {
    return this.stopping.signal.aborted;
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
