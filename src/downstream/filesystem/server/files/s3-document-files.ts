import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { StartError } from '../../../../config/start-error.js';
import { Problem } from '../../../../http/problem.js';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import { type Bucket, BucketUnavailable } from './bucket.js';
import { DamagedFile, DocumentFiles, folderOf, hashOf, type Known, type StoredFile } from './document-files.js';

/** The object with the id of the installation that owns the objects. */
const OWNER = 'caudex-owner';
const FOLDERS = 'documents/';
const RETRY_MS = 30_000;
const RETRY_AFTER_S = 5;

/**
 * Each content as an object `documents/<user>/<project>/<name>`. While the bucket does not answer, reads and writes are
 * refused with 424, because the rest of this server works. Removals are made later.
 */
export class S3DocumentFiles extends DocumentFiles {
  private readonly log = new Logger('Bucket');
  /** Whether it was verified that the objects belong to this installation. */
  private isOwned = false;
  /**
   * Keys, and prefixes that end in `/`, that are removed when the bucket answers again. After a restart {@link sweep}
   * finds them.
   */
  private readonly unremoved = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly bucket: Bucket,
    /** The id is stored with the database, so that database and bucket can be matched. */
    private readonly installation: string,
  ) {
    super();
  }

  /**
   * Lets the objects of the installation `from` belong to this one. Does nothing where they do already.
   * @throws StartError where they belong to a third one; BucketUnavailable
   */
  async takeOver(from: string): Promise<void> {
    const owner = (await this.bucket.get(OWNER))?.toString();
    if (owner === from) await this.bucket.put(OWNER, Buffer.from(this.installation));
    await this.own();
  }

  async write(key: ProjectKey, content: Uint8Array, file: string = randomUUID()): Promise<StoredFile> {
    await this.available(async () => {
      await this.own();
      await this.bucket.put(keyOf(key, file), content);
    });
    return { file, sha256: hashOf(content) };
  }

  async read(key: ProjectKey, { file, sha256 }: StoredFile): Promise<Buffer> {
    const content = await this.available(() => this.bucket.get(keyOf(key, file)));
    if (content === undefined) throw new DamagedFile(`${this.bucket.name}${keyOf(key, file)} is missing`);
    if (hashOf(content) === sha256) return content;
    throw new DamagedFile(
      `${this.bucket.name}${keyOf(key, file)} is not what was written: its SHA-256 should be ${sha256}`,
    );
  }

  async remove(key: ProjectKey, files: readonly (string | null)[]): Promise<void> {
    for (const file of files) if (file !== null) await this.removeNowOrLater(keyOf(key, file));
  }

  async removeProject(key: ProjectKey): Promise<void> {
    await this.removeNowOrLater(`${FOLDERS}${folderOf(key)}/`);
  }

  async sweep(known: Known, minAgeMs = 0): Promise<{ removed: number; missing: string[] }> {
    try {
      await this.own();
      return await this.sweepNow(known, Date.now() - minAgeMs);
    } catch (error) {
      if (!(error instanceof BucketUnavailable)) throw error;
      this.log.warn(`${error.message}; documents can be neither read nor written until it does`);
      return { removed: 0, missing: [] };
    }
  }

  override close(): void {
    clearTimeout(this.timer);
    this.bucket.close();
  }

  private async sweepNow(known: Known, beforeMs: number) {
    const wanted = new Set<string>();
    for await (const { key, file } of known) wanted.add(keyOf(key, file));
    const leftovers: string[] = [];
    for await (const { key, modifiedMs } of this.bucket.objects(FOLDERS)) {
      if (!wanted.delete(key) && modifiedMs <= beforeMs) leftovers.push(key);
    }
    for (const key of leftovers) await this.bucket.delete(key);
    return { removed: leftovers.length, missing: [...wanted].map((key) => this.bucket.name + key) };
  }

  /**
   * Verifies, once, that the objects belong to this installation: another one's would be treated as leftovers and
   * removed.
   * @throws StartError, BucketUnavailable
   */
  private async own(): Promise<void> {
    if (this.isOwned) return;
    const state = await this.bucket.check();
    if (state === 'missing') throw new StartError(`storage.s3.bucket: there is no bucket at ${this.bucket.name}`);
    if (state === 'forbidden') {
      throw new StartError(
        `S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY: ${this.bucket.name} refuses them, or they may not use this bucket`,
      );
    }
    const owner = (await this.bucket.get(OWNER))?.toString();
    if (owner === undefined) await this.bucket.put(OWNER, Buffer.from(this.installation));
    else if (owner !== this.installation) {
      throw new StartError(
        `storage.s3.prefix: ${this.bucket.name} holds the documents of another installation (${owner}); restore its database, or choose another prefix`,
      );
    }
    this.isOwned = true;
  }

  private async removeNowOrLater(key: string): Promise<void> {
    try {
      await this.removeNow(key);
    } catch (error) {
      if (!(error instanceof BucketUnavailable)) throw error;
      this.unremoved.add(key);
      this.log.warn(`${error.message}; ${this.unremoved.size} removals wait for it`);
      this.timer ??= setTimeout(() => void this.retry(), RETRY_MS).unref();
    }
  }

  private async removeNow(key: string): Promise<void> {
    if (!key.endsWith('/')) return this.bucket.delete(key);
    for await (const object of this.bucket.objects(key)) await this.bucket.delete(object.key);
  }

  private async retry(): Promise<void> {
    this.timer = undefined;
    const keys = [...this.unremoved];
    this.unremoved.clear();
    for (const key of keys) await this.removeNowOrLater(key);
  }

  /** @throws Problem 424 `document_storage_unavailable` */
  private async available<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof BucketUnavailable || error instanceof StartError)) throw error;
      this.log.warn(error.message);
      const detail = 'The store of documents gives no answer; nothing was changed, try again.';
      throw new Problem({ status: 424, code: 'document_storage_unavailable', detail, retryAfter: RETRY_AFTER_S });
    }
  }
}

const keyOf = (key: ProjectKey, file: string) => `${FOLDERS}${folderOf(key)}/${file}`;
