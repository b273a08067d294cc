import { unpaced } from './paced.js';
import { passagesOf } from './passages.js';
import { titleOf } from './title.js';

const splitPassages = (...document: Parameters<typeof passagesOf>) => [...unpaced(passagesOf(...document))];

const body = 'Words that fill a section so that it stands alone in the index. '.repeat(5);
const titles = (text: string, mediaType: string) => splitPassages(text, mediaType).map(({ title }) => title);

describe('a text', () => {
  it.each([
    [
      'text/x-tex',
      `\\title{On \\emph{Otters}}\n\\section{Food}\\label{f}\n${body}\n\\begin{verbatim}\n\\section{no}\n\\end{verbatim}\n\\subsection*{Fish}\n${body}`,
      'On Otters',
    ],
    ['text/asciidoc', `= On Otters\n\n== Food\n\n${body}\n\n----\n== no\n----\n\n=== Fish\n\n${body}`, 'On Otters'],
    [
      'text/x-rst',
      `=========\nOn Otters\n=========\n\nFood\n====\n\n${body}\n\nFish\n----\n\n${body}\n\nno heading\n--`,
      'On Otters',
    ],
    [
      'text/org',
      `#+TITLE: On Otters\n* TODO Food :a:b:\n${body}\n#+begin_src c\n* no\n#+end_src\n** Fish\n${body}`,
      'On Otters',
    ],
  ])('in %s is cut along its headings', (mediaType, text, title) => {
    expect(titles(text, mediaType)).toEqual([`${title} › Food`, `${title} › Food › Fish`]);
    expect(titleOf('a', text, mediaType)).toBe(title);
  });

  it('in reStructuredText has heading levels in the order in which its marks first occur', () => {
    const text = `Otters\n~~~~~~\n\n${body}\n\nFood\n++++\n\n${body}\n\nHerons\n~~~~~~\n\n${body}`;
    expect(titles(text, 'text/x-rst')).toEqual(['Otters', 'Otters › Food', 'Herons']);
  });

  it.each([2, undefined])(
    'in JSON is cut along its keys, which are the path of a passage (indented by %s)',
    (indent) => {
      const data = {
        server: {
          tls: { certificate: body },
          hosts: [{ name: body }, { name: `last one. ${body}` }],
          motto: body,
          port: 8080,
        },
        owner: body,
      };
      const text = JSON.stringify(data, null, indent);
      const passages = splitPassages(text, 'application/json');
      const titleAt = (words: string) => passages.find((passage) => passage.text.includes(words))?.title;
      expect(titleAt('"certificate"')).toBe('server › tls');
      expect(titleAt('"hosts"')).toBe('server › hosts › 1');
      expect(titleAt('"motto"')).toBe('server');
      expect(titleAt('last one')).toBe('server › hosts › 2');
      expect(
        passages
          .map((passage) => passage.text)
          .join('')
          .replaceAll(/\s/g, ''),
      ).toBe(text.replaceAll(/\s/g, ''));
    },
  );

  it('in YAML is cut along its keys', () => {
    const text = `server:\n  tls: # secure\n    certificate: "${body}"\n    note: |\n      no: key\n      not:\n  hosts:\n  - name: ${body}\n    more:\n      deep: ${body}\n  motto: ${body}\nowner: ${body}\n`;
    const passages = splitPassages(text, 'application/yaml');
    const titleAt = (words: string) => passages.find((passage) => passage.text.includes(words))?.title;
    expect(titleAt('certificate')).toBe('server › tls');
    expect(titleAt('no: key')).toBe('server › tls');
    expect(titleAt('- name')).toBe('server › hosts');
    expect(titleAt('deep')).toBe('server › hosts › more');
    expect(titleAt('motto')).toBe('server');
    expect(titleAt('owner')).toBe('');
    expect(titles(`[server.tls]\n${body}\n[owner]\nname = "${body}"`, 'application/toml')).toEqual([
      'server › tls',
      'owner',
    ]);
  });

  it.each([
    [',', 'name,"town, country",size', '"Ada ""L""",Oslo,7'],
    [';', 'name;town, country;size', 'Ada;Oslo;7,5'],
    ['\t', 'name\ttown, country\tsize', 'Ada\tOslo\t7'],
    ['the line of Excel', 'sep=|\nname|town, country|size', 'Ada|Oslo|7'],
  ])('of delimited values names its columns, whatever parts them: %s', (_what, header, row) => {
    const found = titles(`${header}\n${`${row}\n`.repeat(300)}`, 'text/csv');
    expect(found.length).toBeGreaterThan(1);
    expect(new Set(found.slice(1))).toEqual(new Set(['name | town, country | size']));
  });

  it('of delimited values without a header has no column names', () => {
    expect(new Set(titles('Ada,7,2024-01-02\n'.repeat(300), 'text/csv'))).toEqual(new Set(['']));
  });

  it.each([
    ['one string of JSON', `"${'x'.repeat(5_000_000)}"`, 'application/json'],
    ['escapes without an end', `"${'\\"'.repeat(2_500_000)}`, 'application/json'],
    ['depth', '['.repeat(2_000_000), 'application/json'],
    ['objects in objects', '{"a":'.repeat(500_000), 'application/json'],
    ['small objects', `[${'{"a":[1]},'.repeat(190_000)}`, 'application/json'],
    ['keys of YAML', 'a:\n'.repeat(600_000), 'application/yaml'],
    ['depth of YAML', Array.from({ length: 2000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'), 'application/yaml'],
    ['a line of values', 'x,'.repeat(2_500_000), 'text/csv'],
    ['underlines', 'ab\n--\n'.repeat(500_000), 'text/x-rst'],
    ['titles of Org', '* a\n'.repeat(300_000), 'text/org'],
    ['braces of LaTeX', '\\section{'.repeat(300_000), 'text/x-tex'],
  ])('is cut in linear time: %s', (_what, text, mediaType) => {
    const began = process.threadCpuUsage();
    splitPassages(text, mediaType);
    expect(process.threadCpuUsage(began).user / 1000).toBeLessThan(4000);
  });
});
