import { type Entry, openPromise, type ZipFile } from 'yauzl';
import type { z } from 'zod';
import { badRequest, Problem } from '../../../http/problem.js';

/** More than an account at its quotas has. */
const MAX_ENTRIES = 1_000_000;
const MAX_JSON_BYTES = 256 * 1024 * 1024;
/**
 * Each value but the first follows one of these characters. A text of two bytes can be an object of 60 bytes in memory, so
 * their number is limited too. The list of 100,000 documents with a warning each has 3 million.
 */
const BEFORE_VALUE = '[{,:';
const MAX_JSON_VALUES = 10_000_000;

/** Reads the archive of an exported account, one file at a time. */
export class ImportArchive {
  private constructor(
    private readonly zip: ZipFile,
    private readonly entries: ReadonlyMap<string, Entry>,
  ) {}

  /** @throws Problem 400 `invalid_archive` */
  static async open(file: string): Promise<ImportArchive> {
    const entries = new Map<string, Entry>();
    let zip: ZipFile | undefined;
    try {
      zip = await openPromise(file, { autoClose: false, validateEntrySizes: true });
      for await (const entry of zip.eachEntry()) {
        entries.set(entry.fileName, entry);
        if (entries.size > MAX_ENTRIES) throw new Error(`it has more than ${MAX_ENTRIES} entries`);
      }
      return new ImportArchive(zip, entries);
    } catch (error) {
      zip?.close();
      throw invalid((error as Error).message);
    }
  }

  close(): void {
    this.zip.close();
  }

  /** @throws Problem 400 `invalid_archive`, 422 `broken_entry` */
  async json<S extends z.ZodType>(name: string, schema: S): Promise<z.output<S>> {
    const bytes = await this.bytes(name, MAX_JSON_BYTES);
    if (!hasFewValues(bytes)) throw broken(name, `it has more than ${MAX_JSON_VALUES} values`);
    let value: unknown;
    try {
      value = JSON.parse(bytes.toString());
    } catch (error) {
      throw invalid(`${name} is not JSON (${(error as Error).message})`);
    }
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const [fault] = parsed.error.issues;
    throw invalid(`${name}: ${fault?.path.join('.') ?? ''}: ${fault?.message ?? ''}`);
  }

  /** @throws Problem 400 `invalid_archive` where there is no such file, 422 `broken_entry` */
  async bytes(name: string, maxBytes: number): Promise<Buffer> {
    const entry = this.entries.get(name);
    if (entry === undefined) throw invalid(`it has no file ${JSON.stringify(name)}`);
    if (entry.uncompressedSize > maxBytes) throw broken(name, `it has more than ${maxBytes} bytes`);
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of await this.zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer);
    } catch (error) {
      throw broken(name, (error as Error).message);
    }
    return Buffer.concat(chunks);
  }
}

/** Counts at least the values: characters within texts are counted too. */
function hasFewValues(json: Buffer): boolean {
  const counts = new Uint8Array(256);
  for (const byte of Buffer.from(BEFORE_VALUE)) counts[byte] = 1;
  let values = 1;
  for (let at = 0; at < json.length; at++) values += counts[json[at] as number] as number;
  return values <= MAX_JSON_VALUES;
}

const invalid = (why: string) =>
  badRequest('invalid_archive', `body: this is not the archive of an exported account: ${why}`);
const broken = (name: string, why: string) =>
  new Problem({ status: 422, code: 'broken_entry', detail: `body: ${name} of the archive can not be read: ${why}` });
