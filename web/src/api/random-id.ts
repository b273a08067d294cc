/** 128 random bits in hexadecimal. Unlike `crypto.randomUUID`, also on a page that came without TLS. */
export function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
