import { strToU8, zipSync } from 'fflate';
import { Problem } from '../../http/problem.js';
import { uploadOf } from './upload.js';

function refusalOf(name: string, contentType: string | undefined, bytes: Buffer): string {
  try {
    uploadOf(name, contentType, bytes);
  } catch (error) {
    if (error instanceof Problem && error.problem.status === 415) return error.problem.detail;
    throw error;
  }
  return 'taken';
}

describe('a text', () => {
  it('goes to the detection of its charset where it has zero bytes, as UTF-16 has', () => {
    const bytes = Buffer.from('Plain words', 'utf16le');
    expect(uploadOf('a.txt', 'text/plain', bytes)).toEqual({
      media_type: 'text/plain',
      content_base64: bytes.toString('base64'),
    });
    expect(uploadOf('a.txt', 'text/plain', Buffer.from('plain'))).toEqual({ media_type: 'text/plain', text: 'plain' });
  });
});

describe('a file that is not read', () => {
  const zip = Buffer.from(zipSync({ 'Index/Document.iwa': strToU8('x') }));
  const unknown = Buffer.from([1, 0, 2, 0xff, 0xfe, 0, 3]);

  it.each([
    ['slides.ppt', 'application/vnd.ms-powerpoint', unknown, '.pptx'],
    ['notes.7z', undefined, Buffer.from('7z\xbc\xaf\x27\x1c', 'latin1'), '.zip'],
    ['notes.rar', 'application/octet-stream', Buffer.from('Rar!\x1a\x07\x01', 'latin1'), '.zip'],
    ['report.pages', undefined, zip, '.docx'],
    ['budget.numbers', 'application/zip', zip, '.xlsx'],
    ['novel.mobi', undefined, unknown, 'EPUB'],
    ['scan.jp2', 'image/jp2', unknown, 'PNG'],
    ['photo.avif', 'image/avif', unknown, 'PNG'],
  ])('%s is refused, and the answer says what to do', (name, type, bytes, advice) => {
    expect(refusalOf(name, type, bytes)).toContain(advice);
  });

  it('is no text that has the extension of another format', () => {
    expect(refusalOf('server.key', undefined, Buffer.from('-----BEGIN PRIVATE KEY-----'))).toBe('taken');
    expect(refusalOf('old.pub', 'text/plain', Buffer.from('Stra\xdfe', 'latin1'))).toBe('taken');
  });
});
