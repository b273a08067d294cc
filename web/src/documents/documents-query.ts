import { queryOptions } from '@tanstack/react-query';
import { api, dataOf, problemOf } from '../api/client.ts';
import type { DocumentInfo, TrashedDocument } from '../api/shapes.ts';

const PAGE = 1000;

/** All documents of a list that is read in pages. */
async function allOf<T>(
  read: (query: { limit: number; offset: number }) => Promise<{ documents: T[]; total: number }>,
) {
  const documents: T[] = [];
  for (;;) {
    const page = await read({ limit: PAGE, offset: documents.length });
    documents.push(...page.documents);
    if (page.documents.length === 0 || documents.length >= page.total) return documents;
  }
}

export const documentsQuery = (project: string) =>
  queryOptions({
    queryKey: ['documents', project, 'list'],
    queryFn: () =>
      allOf<DocumentInfo>((query) => {
        const params = { path: { project_id: project }, query };
        return dataOf(api.GET('/v1/api/projects/{project_id}/documents', { params }));
      }),
  });

export const trashQuery = (project: string) =>
  queryOptions({
    queryKey: ['documents', project, 'trash'],
    queryFn: () =>
      allOf<TrashedDocument>((query) => {
        const params = { path: { project_id: project }, query };
        return dataOf(api.GET('/v1/api/projects/{project_id}/trash', { params }));
      }),
  });

/** What the list says of one document; null where there is none. */
export const documentInfoQuery = (project: string, path: string) =>
  queryOptions({
    queryKey: ['documents', project, 'info', path],
    queryFn: async () => {
      // The list is sorted by path, so that the document itself comes before those whose paths go on.
      const params = { path: { project_id: project }, query: { limit: 1, prefix: path } };
      const { documents } = await dataOf(api.GET('/v1/api/projects/{project_id}/documents', { params }));
      return documents.find((document) => document.path === path) ?? null;
    },
  });

export const documentCountQuery = (project: string) =>
  queryOptions({
    queryKey: ['documents', project, 'count'],
    queryFn: async () => {
      const params = { path: { project_id: project }, query: { limit: 1 } };
      return (await dataOf(api.GET('/v1/api/projects/{project_id}/documents', { params }))).total;
    },
  });

export const indexQuery = (project: string) =>
  queryOptions({
    queryKey: ['documents', project, 'index'],
    queryFn: () =>
      dataOf(api.GET('/v1/api/projects/{project_id}/index', { params: { path: { project_id: project } } })),
    refetchInterval: ({ state: { data } }) => ((data?.queued ?? 0) + (data?.stale_passages ?? 0) > 0 ? 2000 : 30_000),
  });

/** The file as it was uploaded. The backend sends it for saving, so that nothing in it can run on the page. */
export const originalAddress = (project: string, path: string) =>
  `/v1/api/projects/${encodeURIComponent(project)}/documents/${path.split('/').map(encodeURIComponent).join('/')}?original=true`;

export function downloadOriginal(project: string, path: string): void {
  Object.assign(document.createElement('a'), { href: originalAddress(project, path), download: '' }).click();
}

export interface OpenedDocument {
  text: string;
  version: string;
  markdown: boolean;
}

export const documentQuery = (project: string, path: string, version?: string) =>
  queryOptions({
    queryKey: ['document', project, path, version ?? 'current'],
    queryFn: async (): Promise<OpenedDocument> => {
      const { data, error, response } = await api.GET('/v1/api/projects/{project_id}/documents/{path}', {
        params: { path: { project_id: project, path }, query: version === undefined ? {} : { version } },
        parseAs: 'text',
      });
      if (!response.ok) throw problemOf(response.status, error);
      return {
        text: data ?? '',
        version: response.headers.get('etag')?.replace(/^(W\/)?"(.*)"$/, '$2') ?? '',
        markdown: response.headers.get('content-type')?.startsWith('text/markdown') ?? false,
      };
    },
  });
