import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Plugin } from 'vite';

/** The files that pdf.js fetches while it draws: character maps, the standard fonts of PDF, decoders without WebAssembly. */
const FOLDERS = { cmaps: /\.bcmap$/, standard_fonts: /\.(pfb|ttf)$/, wasm: /_fallback\.js$/ };

const HOME = dirname(createRequire(import.meta.url).resolve('pdfjs-dist/package.json'));
const { version } = JSON.parse(readFileSync(join(HOME, 'package.json'), 'utf8')) as { version: string };
/** The address of these files in `src/pdf/open-pdf.ts`. */
const ADDRESS = `assets/pdfjs-${version}`;

const filesOf = (folder: string, wanted: RegExp) => readdirSync(join(HOME, folder)).filter((name) => wanted.test(name));

/** Copies these files into the built page; in development it serves them from the package. */
export function pdfjsParts(): Plugin {
  return {
    name: 'pdfjs-parts',
    generateBundle() {
      for (const [folder, wanted] of Object.entries(FOLDERS)) {
        for (const name of filesOf(folder, wanted)) {
          const source = readFileSync(join(HOME, folder, name));
          this.emitFile({ type: 'asset', fileName: `${ADDRESS}/${folder}/${name}`, source });
        }
      }
    },
    configureServer({ middlewares }) {
      middlewares.use(`/${ADDRESS}`, ({ url = '' }, response, next) => {
        const [folder, name] = url.slice(1).split('/') as [string, string | undefined];
        const wanted = (FOLDERS as Record<string, RegExp>)[folder];
        if (name === undefined || !wanted?.test(name) || !existsSync(join(HOME, folder, name))) return next();
        response.end(readFileSync(join(HOME, folder, name)));
      });
    },
  };
}
