import { EventSourceParserStream } from 'eventsource-parser/stream';
import { BackendAway, problemOf, watchedFetch } from '../api/client.ts';
import { connection } from '../api/connection.ts';
import type { StoredDocument } from '../api/shapes.ts';

/** What became of one file of many. */
export type ManyItem = StoredDocument | { path: string; error: { code: string; detail: string } };

const ARCHIVES = [
  [/\.zip$/i, 'application/zip'],
  [/\.tar$/i, 'application/x-tar'],
  [/\.(tar\.gz|tgz)$/i, 'application/gzip'],
] as const;

/** The media type of an archive that the backend unpacks; undefined for any other file. */
export const archiveType = (name: string): string | undefined => ARCHIVES.find(([ending]) => ending.test(name))?.[1];

const ofProject = (project: string) => `/v1/api/projects/${encodeURIComponent(project)}/documents`;

/**
 * Stores one file. `fetch` does not tell how much of a body is sent, XMLHttpRequest does; the server knows the kind of a
 * file by its name.
 * @param progress is told how much is sent, 0 to 100
 */
export function putFile(
  project: string,
  path: string,
  file: File,
  progress: (percent: number) => void,
): Promise<StoredDocument> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('PUT', `${ofProject(project)}/${encodeURIComponent(path)}`);
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.upload.addEventListener('progress', ({ loaded, total }) =>
      progress(total === 0 ? 0 : (100 * loaded) / total),
    );
    request.addEventListener('error', () => {
      connection.lost();
      reject(new BackendAway('The backend did not answer.'));
    });
    request.addEventListener('load', () => {
      if (request.status === 401) connection.refused();
      if (request.status < 300) resolve(JSON.parse(request.responseText) as StoredDocument);
      else reject(problemOf(request.status, parsed(request.responseText)));
    });
    request.send(file);
  });
}

/** Stores many files in one request, or those of a zip; each item comes as its file is done. */
export async function* putMany(
  project: string,
  body: File | FormData,
): AsyncGenerator<{ done: number; total: number; document: ManyItem }> {
  const type = body instanceof FormData ? undefined : archiveType(body.name);
  const headers = { ...(type !== undefined && { 'content-type': type }), accept: 'text/event-stream' };
  const response = await watchedFetch(ofProject(project), { method: 'POST', headers, body });
  if (!response.ok || response.body === null) {
    throw problemOf(response.status, await response.json().catch(() => undefined));
  }
  const events = response.body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array<ArrayBuffer>>)
    .pipeThrough(new EventSourceParserStream())
    .getReader();
  for (;;) {
    const { done, value } = await events.read().catch(() => {
      throw new BackendAway('The connection broke.');
    });
    if (done) return;
    if (value.event === 'document') {
      yield JSON.parse(value.data) as { done: number; total: number; document: ManyItem };
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
