// Makes collections to measure search by (BEIR layout) from manuals in HTML as DocBook writes them: each section is a document
// without its heading, and the heading is the question. Debian has such manuals in many languages:
//   apt-get download debian-handbook debian-faq-de && for p in *.deb; do dpkg-deb -x $p manuals; done
//   npm run eval:docbook -- OUT manuals/usr/share/doc/debian-handbook/html/* manuals/usr/share/doc/debian/FAQ/de
//   npm run eval -- --all OUT
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type AnyNode, type Element, isTag } from 'domhandler';
import { DomUtils, parseDocument } from 'htmlparser2';

/** Shorter sections have too little text, shorter headings say too little. */
const MIN_SECTION_CHARS = 150;
const MIN_HEADING_CHARS = 4;

interface Section {
  heading: string;
  text: string;
}

const isSection = (node: AnyNode): node is Element => isTag(node) && /^section\b/.test(node.attribs['class'] ?? '');
const isTitle = (node: AnyNode): node is Element => isTag(node) && node.attribs['class'] === 'titlepage';
const textOf = (nodes: AnyNode | AnyNode[]) => DomUtils.innerText(nodes).replace(/\s+/g, ' ').trim();

function sectionsOf(html: string): Section[] {
  return DomUtils.findAll(isSection, parseDocument(html).children).flatMap(({ children }) => {
    const titles = DomUtils.findAll(({ name }) => /^h[1-5]$/.test(name), children.filter(isTitle));
    const heading = titles[0] === undefined ? '' : textOf(titles[0]).replace(/^(?:[A-Z]\.)?[\d.]*\s*/, '');
    const text = textOf(children.filter((child) => !isTitle(child) && !isSection(child)));
    return heading.length < MIN_HEADING_CHARS || text.length < MIN_SECTION_CHARS ? [] : [{ heading, text }];
  });
}

const [out, ...folders] = process.argv.slice(2);
if (out === undefined || folders.length === 0) throw new Error('usage: npm run eval:docbook -- OUT FOLDER…');
for (const folder of folders) {
  const pages = readdirSync(folder).filter((name) => name.endsWith('.html') && !name.startsWith('index'));
  const sections = pages.flatMap((page) => sectionsOf(readFileSync(join(folder, page), 'utf8')));
  const times = new Map<string, number>();
  for (const { heading } of sections) times.set(heading, (times.get(heading) ?? 0) + 1);
  // Sections with the same heading cannot be told apart.
  const asked = [...sections.entries()].filter(([, { heading }]) => times.get(heading) === 1);
  const dir = join(out, basename(folder));
  mkdirSync(dir, { recursive: true });
  const lines = (name: string, all: readonly string[]) => writeFileSync(join(dir, name), `${all.join('\n')}\n`);
  lines(
    'corpus.jsonl',
    sections.map(({ text }, i) => JSON.stringify({ _id: `${i}`, title: '', text })),
  );
  lines(
    'queries.jsonl',
    asked.map(([i, { heading }]) => JSON.stringify({ _id: `${i}`, text: heading })),
  );
  lines('qrels.tsv', ['query-id\tcorpus-id\tscore', ...asked.map(([i]) => `${i}\t${i}\t1`)]);
  console.log(`${dir}: ${sections.length} sections, ${asked.length} questions`);
}
