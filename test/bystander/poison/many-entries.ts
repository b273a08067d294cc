import { Header } from 'tar';
import { zipSync } from 'fflate';
import { all, type Poison, times } from '../poison.js';

const ENTRIES = 40_000;
const nothing = new Uint8Array();

/** Headers of empty files alone, with and without a folder for each. */
function tar(): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.alloc((ENTRIES + 2) * 512);
  for (let i = 0; i < ENTRIES; i++) {
    const type = i % 2 === 0 ? 'File' : 'Directory';
    new Header({ path: `notes/${i}${type === 'File' ? '.md' : '/'}`, size: 0, type, mode: 0o644 }).encode(
      bytes,
      i * 512,
    );
  }
  return new Uint8Array(bytes);
}

const TAR = tar();
const ZIP = new Uint8Array(
  zipSync(Object.fromEntries(times(ENTRIES, (i) => [i % 2 === 0 ? `${i}.md` : `${i}/`, nothing])), { level: 0 }),
);
const FORM = times(20_000, (i) => `--X\r\nContent-Disposition: form-data; name="k${i}"\r\n\r\nv\r\n`).join('');
const CUT = '--X\r\nContent-Disposition: form-data; name="file"; filename="a.md"\r\n\r\n# A';

export const poison: Poison = {
  name: 'a user uploads archives and forms with forty thousand empty entries, or without their end',
  against: 'one entry after the other read without a pause, and memory for each',
  send: ({ attacker, project }) => {
    const send = (body: string | Uint8Array<ArrayBuffer>, type: string) =>
      attacker.request('POST', `/v1/api/projects/${project}/documents`, body, { 'content-type': type });
    return all([
      ...times(2, () => send(TAR, 'application/x-tar')),
      ...times(2, () => send(ZIP, 'application/zip')),
      ...times(4, () => send(FORM, 'multipart/form-data; boundary=X')),
      ...times(10, () => send(CUT, 'multipart/form-data; boundary=X')),
    ]);
  },
};
