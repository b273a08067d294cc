import { defineConfig } from 'vite';
import { ahead } from './ahead.ts';
import { compressed } from './compressed.ts';
import { pdfjsParts } from './pdfjs-parts.ts';

/** Where `npm run dev:web` sends the calls of the API. */
const BACKEND = process.env['CAUDEX_BACKEND'] ?? 'http://127.0.0.1:5000';

/** The libraries of the first load, and small files that several pages share. */
const EVERYWHERE =
  /node_modules\/(react|react-dom|scheduler|use-sync-external-store|openapi-fetch|eventsource-parser|@tanstack\/(?!react-virtual|virtual-core)[^/]+)\/|src\/(api|texts)\/|layout\/(Dialog|undo|lazily|RowMenu|CopyButton|Problems|title)\.|chat\/(DegradedLine|degraded-text|live-chats)\.|session\/(drafts|session)|documents\/(Warnings|documents-query|paths)\.|preload-helper/;

/** Long lists, and the one that is beside every page. */
const LISTS = /node_modules\/@tanstack\/(react-virtual|virtual-core)\/|chat\/ConversationRows\./;
/** What a new chat needs; the turns are another file. */
const NEW_CHAT =
  /src\/(tour\/|chat\/(ChatPage|Composer|AskingOptions|Turns|live-chat|message|growing-answer|answer-chunks|conversation-state|other-tabs)\.)/;
/** What the pages of documents and of search share. */
const OF_DOCUMENTS = /src\/documents\/(carry-out|document-removal|TagEditor|tags|choice|ChoiceBar)\./;

export default defineConfig({
  plugins: [pdfjsParts(), ahead(), compressed()],
  build: {
    target: 'es2023',
    // The Content-Security-Policy allows no data: scripts or styles, and few bytes are saved by inlining.
    assetsInlineLimit: 0,
    // One file: the few kilobytes of all pages are there at once, and no page is without its styles when the connection breaks.
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1024,
    rolldownOptions: {
      // What every page uses is one file, and not seven small ones: a response's headers alone are 1 kB.
      output: {
        codeSplitting: {
          groups: [
            { name: 'libraries', test: EVERYWHERE },
            { name: 'lists', test: LISTS },
            { name: 'chat', test: NEW_CHAT },
            { name: 'documents', test: OF_DOCUMENTS },
          ],
        },
      },
      onLog: (level, log, report) => {
        // `use client` means something to a server that renders React; this page is rendered in the browser alone.
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') report(level, log);
      },
    },
  },
  server: {
    host: '127.0.0.1',
    proxy: Object.fromEntries(['/v1', '/health', '/metrics'].map((path) => [path, { target: BACKEND }])),
  },
});
