// node build.mjs MODULES VERSION FOLDER: the page with one version of the AI SDK, from where `.ci/clients` installed it.
import { join } from 'node:path';
import { build } from 'vite';

const [modules, version, outDir] = process.argv.slice(2);
const installed = (name) => join(modules, name);
await build({
  configFile: false,
  logLevel: 'error',
  root: import.meta.dirname,
  define: { 'process.env.NODE_ENV': '"production"' },
  resolve: {
    alias: {
      'ai-sdk-react': installed(`react${version}`),
      'ai-sdk': installed(`ai${version}`),
      react: installed('react'),
      'react-dom': installed('react-dom'),
    },
  },
  build: { outDir, lib: { entry: 'use-chat.mjs', formats: ['es'], fileName: () => 'page.js' } },
});
