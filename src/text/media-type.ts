/** Media types of texts, by file extension or by the whole file name. */
const TYPES: Record<string, string> = {
  ...{
    md: 'text/markdown',
    markdown: 'text/markdown',
    mdx: 'text/markdown',
    qmd: 'text/markdown',
    rmd: 'text/markdown',
  },
  ...{ html: 'text/html', htm: 'text/html', xhtml: 'text/html' },
  ...{ tex: 'text/x-tex', ltx: 'text/x-tex', adoc: 'text/asciidoc', asciidoc: 'text/asciidoc' },
  ...{ rst: 'text/x-rst', rest: 'text/x-rst', org: 'text/org' },
  ...{ csv: 'text/csv', tsv: 'text/tab-separated-values' },
  ...{ json: 'application/json', jsonl: 'application/json', ndjson: 'application/json', geojson: 'application/json' },
  ...{ yaml: 'application/yaml', yml: 'application/yaml', toml: 'application/toml', xml: 'application/xml' },
  ...{ py: 'text/x-python', rb: 'text/x-ruby', pl: 'text/x-perl', php: 'text/x-php', lua: 'text/x-lua', r: 'text/x-r' },
  ...{ js: 'text/javascript', mjs: 'text/javascript', cjs: 'text/javascript', jsx: 'text/javascript' },
  ...{ ts: 'text/x-typescript', mts: 'text/x-typescript', cts: 'text/x-typescript', tsx: 'text/x-typescript' },
  ...{
    java: 'text/x-java',
    kt: 'text/x-kotlin',
    scala: 'text/x-scala',
    groovy: 'text/x-groovy',
    swift: 'text/x-swift',
  },
  ...{ c: 'text/x-c', h: 'text/x-c', cc: 'text/x-c++', cpp: 'text/x-c++', hpp: 'text/x-c++', cs: 'text/x-csharp' },
  ...{
    go: 'text/x-go',
    rs: 'text/x-rust',
    zig: 'text/x-zig',
    dart: 'text/x-dart',
    ex: 'text/x-elixir',
    hs: 'text/x-haskell',
  },
  ...{ sh: 'text/x-sh', bash: 'text/x-sh', zsh: 'text/x-sh', fish: 'text/x-sh', ps1: 'text/x-powershell' },
  ...{ sql: 'text/x-sql', graphql: 'text/x-graphql', proto: 'text/x-protobuf', tf: 'text/x-terraform' },
  ...{ css: 'text/css', scss: 'text/x-scss', less: 'text/x-less', vue: 'text/x-vue', svelte: 'text/x-svelte' },
  ...{ ini: 'text/x-ini', cfg: 'text/x-ini', conf: 'text/x-ini', env: 'text/x-ini', properties: 'text/x-ini' },
  ...{
    dockerfile: 'text/x-dockerfile',
    makefile: 'text/x-makefile',
    gitignore: 'text/x-ini',
    editorconfig: 'text/x-ini',
  },
};

/** The media type of a text by the name of its document; plain text where the name is not known. */
export function mediaTypeOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  return TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'text/plain';
}

/** How a text is cut: by its headings, the rows of a table, the definitions of code, or the paths of data. */
export type Layout = 'prose' | 'latex' | 'asciidoc' | 'rst' | 'org' | 'table' | 'code' | 'json' | 'yaml' | 'sections';

/** The first entry that matches a media type applies; all other types are code. */
const LAYOUTS: [RegExp, Layout][] = [
  [/^text\/(?:csv|tab-separated-values)\b/, 'table'],
  [/^(?:text|application)\/(?:x-)?(?:la)?tex\b/, 'latex'],
  [/^text\/(?:x-)?asciidoc\b/, 'asciidoc'],
  [/^text\/(?:x-rst|prs\.fallenstein\.rst|restructured)/, 'rst'],
  [/^text\/(?:x-)?org\b/, 'org'],
  [/^application\/x-ipynb\+json/, 'prose'],
  [/^(?:application|text)\/(?:[\w.-]+\+)?json\b/, 'json'],
  [/^(?:application|text)\/(?:[\w.-]+\+|x-)?yaml\b/, 'yaml'],
  [/^(?:application\/toml|text\/x-ini)\b/, 'sections'],
  [
    /^text\/(?:plain|markdown|x-markdown|html|rtf|vtt|srt|x-srt)\b|^message\/rfc822\b|^multipart\/related\b|^$/,
    'prose',
  ],
  [/^application\/(?:pdf|x-pdf|xhtml\+xml|vnd\.|msword|rtf|x-rtf|epub\+zip|mbox|x-mimearchive|x-subrip)/, 'prose'],
];

/** The layout of a text. Where the media type is generic, as many clients send it, the name decides. */
export function layoutOf(path: string, mediaType: string): Layout {
  const type = mediaType === '' || mediaType.startsWith('text/plain') ? mediaTypeOf(path) : mediaType;
  return LAYOUTS.find(([pattern]) => pattern.test(type))?.[1] ?? 'code';
}

const PROSE = new Set<Layout>(['prose', 'latex', 'asciidoc', 'rst', 'org']);

/** Whether a text is prose: sentences under headings. */
export function isProse(layout: Layout): boolean {
  return PROSE.has(layout);
}
