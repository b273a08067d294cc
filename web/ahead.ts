import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin, Rolldown } from 'vite';

/** The modules that each page begins with, by the path of its address; the first pattern that matches counts. */
const PAGES: [path: RegExp, ...modules: string[]][] = [
  [/^\/p\/[^/]+\/chat\/./, 'chat/ChatPage.tsx', 'chat/TurnList.tsx'],
  [/^\/p\/[^/]+\/chat/, 'chat/ChatPage.tsx'],
  [/^\/p\/[^/]+\/documents\/read\//, 'documents/ReadingPage.tsx'],
  [/^\/p\/[^/]+\/documents\/?$/, 'documents/DocumentsPage.tsx'],
  [/^\/p\/[^/]+\/documents\/trash/, 'documents/TrashPage.tsx'],
  [/^\/p\/[^/]+\/search/, 'search/SearchPage.tsx'],
  [/^\/p\/[^/]+\/graph/, 'graph/GraphPage.tsx'],
  [/^\/projects/, 'projects/ProjectsPage.tsx'],
  [/^\/status/, 'status/StatusPage.tsx'],
  [/^\/usage/, 'usage/UsagePage.tsx'],
  [/^\/keys/, 'keys/KeysPage.tsx'],
];
/** In `index.html`, where the script is named. */
const PLACE = '<!-- ahead -->';

/**
 * Writes a small script that requests the code of the page that the address names while the libraries are still on their way;
 * otherwise that code is only requested when the libraries have run. The policy of the page allows no script within the document.
 */
export function ahead(): Plugin {
  return {
    name: 'ahead',
    apply: 'build',
    writeBundle: ({ dir = '' }, bundle) => {
      const chunks = Object.values(bundle).filter((part) => part.type === 'chunk');
      const first = filesOf(chunks, (chunk) => chunk.isEntry);
      const pages = PAGES.map(([path, ...modules]) => {
        const files = new Set(modules.flatMap((module) => [...filesFor(chunks, module)]));
        return [path.source, [...files].filter((file) => !first.has(file)).map((file) => `/${file}`)];
      });
      const script = scriptFor(JSON.stringify(pages));
      const file = `assets/ahead-${createHash('sha256').update(script).digest('base64url').slice(0, 8)}.js`;
      writeFileSync(join(dir, file), script);
      const html = readFileSync(join(dir, 'index.html'), 'utf8');
      if (!html.includes(PLACE)) throw new Error(`index.html does not have ${PLACE}`);
      writeFileSync(join(dir, 'index.html'), html.replace(PLACE, `<script async src="/${file}"></script>`));
    },
  };
}

/** The files that a module needs. @throws where no chunk has the module, as after it was renamed */
function filesFor(chunks: Rolldown.OutputChunk[], module: string): Set<string> {
  const files = filesOf(chunks, ({ moduleIds }) => moduleIds.some((id) => id.endsWith(`/src/${module}`)));
  if (files.size === 0) throw new Error(`no chunk has the module src/${module}; see PAGES in web/ahead.ts`);
  return files;
}

/** The files of some chunks and of all that they import. */
function filesOf(chunks: Rolldown.OutputChunk[], wanted: (chunk: Rolldown.OutputChunk) => boolean): Set<string> {
  const files = new Set<string>();
  const add = (chunk: Rolldown.OutputChunk) => {
    if (files.has(chunk.fileName)) return;
    files.add(chunk.fileName);
    for (const imported of chunks) if (chunk.imports.includes(imported.fileName)) add(imported);
  };
  chunks.filter(wanted).forEach(add);
  return files;
}

const scriptFor = (pages: string) => `const page = ${pages}.find(([path]) => new RegExp(path).test(location.pathname));
for (const href of page?.[1] ?? [])
  document.head.append(Object.assign(document.createElement('link'), { rel: 'modulepreload', crossOrigin: '', href }));
`;
