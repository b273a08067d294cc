import { hkdfSync } from 'node:crypto';
import { compactDecrypt, CompactEncrypt, errors } from 'jose';

/** Texts that only the holder of a secret can read, as JWE (RFC 7516, `dir` with A256GCM). */
export class SealedText {
  private readonly keys: Uint8Array[];

  /** @param secrets the first one encrypts, all of them decrypt */
  constructor(secrets: readonly string[], purpose: string) {
    this.keys = secrets.map((secret) => new Uint8Array(hkdfSync('sha256', secret, '', purpose, 32)));
  }

  seal(text: string): Promise<string> {
    return new CompactEncrypt(new TextEncoder().encode(text))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .encrypt(this.keys[0] as Uint8Array);
  }

  /** Undefined where no secret fits. */
  async open(sealed: string): Promise<string | undefined> {
    for (const key of this.keys) {
      try {
        return new TextDecoder().decode((await compactDecrypt(sealed, key)).plaintext);
      } catch (error) {
        if (!(error instanceof errors.JOSEError)) throw error;
      }
    }
    return undefined;
  }
}
