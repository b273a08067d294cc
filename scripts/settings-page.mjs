// Writes docs/settings.md from config/default.yaml, its comments and the files of the environments. `--check` fails where the
// page is out of date.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMap, isScalar, parseDocument } from 'yaml';
import { format, resolveConfig } from 'prettier';

const root = join(import.meta.dirname, '..');
const page = join(root, 'docs/settings.md');
const read = (file) => readFileSync(join(root, file), 'utf8');

/** The unit, by the end of a name. */
const UNITS = {
  _ms: 'ms',
  _s: 's',
  _bytes: 'bytes',
  _tokens: 'tokens',
  _share: 'share',
  _rate: 'share',
  ratio: 'share',
};
const unitOf = (name) => Object.entries(UNITS).find(([end]) => name.endsWith(end))?.[1] ?? '';

/** All settings below a map, with the comments beside, above and around them. */
function settingsOf(map, path = []) {
  return map.items.flatMap(({ key, value }) => {
    const own = [...path, key.value];
    const above = [key.commentBefore, value?.commentBefore].filter(Boolean);
    if (isMap(value) && !value.flow) {
      const below = settingsOf(value, own);
      // The comment of a block stands in the first row of the block.
      const [first] = below;
      if (first !== undefined) first.comments.unshift(...above, ...[value.comment].filter(Boolean));
      return below;
    }
    const comments = [...above, ...[value?.comment].filter(Boolean)];
    const text = isScalar(value) ? String(value.value === '' ? "''" : value.value) : JSON.stringify(value.toJSON());
    return [{ path: own.join('.'), unit: unitOf(key.value), text, comments }];
  });
}

/** The values that an environment sets in place of the defaults. */
function differences(name) {
  const contents = parseDocument(read(`config/${name}.yaml`)).contents;
  return new Map(isMap(contents) ? settingsOf(contents).map(({ path, text }) => [path, text]) : []);
}

const clean = (text) => text.replace(/\s+/g, ' ').trim().replace(/\|/g, '\\|').replace(/</g, '&lt;');

function render() {
  const { contents } = parseDocument(read('config/default.yaml'));
  const others = ['development', 'test', 'production'].map((name) => [name, differences(name)]);
  const lines = [
    '# Settings',
    '',
    'Every setting, written from `config/default.yaml` by `node scripts/settings-page.mjs`. Names in capitals are the environment',
    'variables that set it; any other setting has a variable by its path: `CAUDEX__CHAT__PASSAGES=8`. A value that is missing, wrong',
    'or out of range is named with its path, and the process does not start.',
  ];
  let block = '';
  const settings = settingsOf(contents);
  const isBlock = ({ path }) => path.includes('.');
  for (const { path, unit, text, comments } of [
    ...settings.filter((one) => !isBlock(one)),
    ...settings.filter(isBlock),
  ]) {
    const top = path.includes('.') ? path.split('.')[0] : 'General';
    if (top !== block) {
      lines.push('', `## ${top}`, '', '| setting | default | unit | meaning |', '| --- | --- | --- | --- |');
      block = top;
    }
    const elsewhere = others
      .filter(([, values]) => values.has(path))
      .map(([name, values]) => `${name}: \`${values.get(path)}\``);
    const meaning = comments.map(clean).join('; ');
    lines.push(`| \`${path}\` | ${[`\`${text}\``, ...elsewhere].join('<br>')} | ${unit} | ${meaning} |`);
  }
  return `${lines.join('\n')}\n`;
}

const text = await format(render(), { ...(await resolveConfig(page)), filepath: page });
if (!process.argv.includes('--check')) writeFileSync(page, text);
else if (read('docs/settings.md') !== text) {
  console.error('docs/settings.md is out of date; write it with: node scripts/settings-page.mjs');
  process.exit(1);
}
