import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Plugin } from 'vite';

/** The files that pdf.js fetches while it draws: character maps, the standard fonts of PDF, decoders without WebAssembly. */
const FOLDERS = { cmaps: /\.bcmap$/, standard_fonts: /\.(pfb|ttf)$/, wasm: /_fallback\.js$/ };

/** Copies these files into the built page, at the addresses of `src/pdf/open-pdf.ts`. */
export function pdfjsParts(): Plugin {
  return {
    name: 'pdfjs-parts',
    apply: 'build',
    generateBundle() {
      const home = dirname(createRequire(import.meta.url).resolve('pdfjs-dist/package.json'));
      const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { version: string };
      for (const [folder, wanted] of Object.entries(FOLDERS)) {
        for (const name of readdirSync(join(home, folder)).filter((file) => wanted.test(file))) {
          const fileName = `assets/pdfjs-${version}/${folder}/${name}`;
          this.emitFile({ type: 'asset', fileName, source: readFileSync(join(home, folder, name)) });
        }
      }
    },
  };
}
