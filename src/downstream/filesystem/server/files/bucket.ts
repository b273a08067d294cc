import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import type { Config } from '../../../../config/config.schema.js';
import { guarded, outboundBreaker } from '../../../../resilience/policy/guarded.js';

const BREAKER = { failures: 5, recoveryMs: 5000 };
/** The attempts that the client makes for one operation; the breaker counts the operation once. */
const ATTEMPTS = 2;

/** The bucket does not answer, or refuses an operation that it must allow. */
export class BucketUnavailable extends Error {
  constructor(name: string, cause: unknown) {
    super(`the bucket ${name} gives no answer: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** The objects below a prefix of a bucket in S3 or a compatible store. */
export class Bucket {
  readonly name: string;
  private readonly client: S3Client;
  private readonly bucket: string;
  private readonly breaker = outboundBreaker({ ...BREAKER, isFailure: (error) => statusOf(error) !== 404 });

  constructor(
    private readonly settings: Config['storage']['s3'],
    { s3_access_key_id: accessKeyId, s3_secret_access_key: secretAccessKey }: Config['secrets'],
  ) {
    const { endpoint, region, bucket, prefix } = settings;
    this.bucket = bucket ?? '';
    this.name = `${endpoint ?? 's3'}/${this.bucket}/${prefix}`;
    this.client = new S3Client({
      region,
      maxAttempts: ATTEMPTS,
      // Some stores that are compatible with S3 do not support the newer checksums. The SHA-256 of each content is
      // verified here.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      ...(endpoint !== null && { endpoint, forcePathStyle: true }),
      ...(accessKeyId !== undefined &&
        secretAccessKey !== undefined && { credentials: { accessKeyId, secretAccessKey } }),
    });
  }

  /**
   * Checks that the bucket exists and accepts our credentials; otherwise returns the reason.
   * @throws BucketUnavailable
   */
  async check(): Promise<'ok' | 'missing' | 'forbidden'> {
    try {
      await this.ask((signal) =>
        this.client.send(new HeadBucketCommand({ Bucket: this.bucket }), { abortSignal: signal }),
      );
      return 'ok';
    } catch (error) {
      const status = statusOf(error instanceof BucketUnavailable ? error.cause : error);
      if (status === 404) return 'missing';
      if (status === 401 || status === 403) return 'forbidden';
      throw error;
    }
  }

  /** @throws BucketUnavailable */
  async put(key: string, content: Uint8Array): Promise<void> {
    await this.ask((signal) =>
      this.client.send(new PutObjectCommand({ ...this.object(key), Body: content, ContentLength: content.length }), {
        abortSignal: signal,
      }),
    );
  }

  /** Undefined where the object does not exist. @throws BucketUnavailable */
  async get(key: string): Promise<Buffer | undefined> {
    try {
      return await this.ask(async (signal) => {
        const { Body } = await this.client.send(new GetObjectCommand(this.object(key)), { abortSignal: signal });
        return Buffer.from((await Body?.transformToByteArray()) ?? []);
      });
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  /** Does nothing where the object does not exist. @throws BucketUnavailable */
  async delete(key: string): Promise<void> {
    await this.ask((signal) =>
      this.client.send(new DeleteObjectCommand(this.object(key)), { abortSignal: signal }),
    ).catch((error: unknown) => {
      if (statusOf(error) !== 404) throw error;
    });
  }

  /** The objects below a prefix, page by page. @throws BucketUnavailable */
  async *objects(below: string): AsyncGenerator<{ key: string; modifiedMs: number }> {
    const { prefix } = this.settings;
    for (let token: string | undefined, more = true; more;) {
      const page = await this.ask((signal) =>
        this.client.send(
          new ListObjectsV2Command({
            Bucket: this.bucket,
            Prefix: prefix + below,
            ...(token !== undefined && { ContinuationToken: token }),
          }),
          { abortSignal: signal },
        ),
      );
      for (const { Key, LastModified } of page.Contents ?? []) {
        if (Key !== undefined) yield { key: Key.slice(prefix.length), modifiedMs: LastModified?.getTime() ?? 0 };
      }
      token = page.NextContinuationToken;
      more = page.IsTruncated === true && token !== undefined;
    }
  }

  close(): void {
    this.client.destroy();
  }

  private object(key: string) {
    return { Bucket: this.bucket, Key: this.settings.prefix + key };
  }

  private async ask<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const guard = { name: `the bucket ${this.bucket}`, timeoutMs: this.settings.timeout_ms, breaker: this.breaker };
    try {
      return await guarded(work, guard);
    } catch (error) {
      throw statusOf(error) === 404 ? error : new BucketUnavailable(this.name, error);
    }
  }
}

const statusOf = (error: unknown) => (error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined);
