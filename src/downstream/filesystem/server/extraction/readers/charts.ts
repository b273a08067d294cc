import { paragraphsOf, readXml } from './xml.ts';

/** A series of a chart: its name, and the categories and values that the file keeps for showing it. */
interface Series {
  name: string;
  categories: Map<number, string>;
  values: Map<number, string>;
}

/** Elements of DrawingML charts (ECMA-376, part 1, 21.2) by what their points are. */
const POINTS: Record<string, 'categories' | 'values'> = {
  'c:cat': 'categories',
  'c:xVal': 'categories',
  'c:val': 'values',
  'c:yVal': 'values',
};

/** The titles of a chart, and its values as a table: a row for each category, a column for each series. */
export function chartText(xml: string): string {
  const titles = paragraphsOf(xml, 'a:p', 'a:t');
  return [...new Set(titles), tableOf(seriesOf(xml))].filter((part) => part !== '').join('\n\n');
}

function seriesOf(xml: string): Series[] {
  const found: Series[] = [];
  let place: 'name' | 'categories' | 'values' | undefined;
  let index = 0;
  let inValue = false;
  readXml(xml, {
    start(name, { idx = '' }) {
      if (name === 'c:ser') found.push({ name: '', categories: new Map(), values: new Map() });
      else if (name === 'c:tx') place = 'name';
      else if (name === 'c:pt') index = Number(idx) || 0;
      else if (name === 'c:v') inValue = true;
      else place = POINTS[name] ?? place;
    },
    text(text) {
      const series = found.at(-1);
      if (!inValue || series === undefined || place === undefined) return;
      if (place === 'name') series.name += text;
      else series[place].set(index, (series[place].get(index) ?? '') + text);
    },
    end(name) {
      if (name === 'c:v') inValue = false;
      else if (name === 'c:tx' || POINTS[name] !== undefined) place = undefined;
    },
  });
  return found;
}

function tableOf(series: readonly Series[]): string {
  const rows = [...new Set(series.flatMap(({ values }) => [...values.keys()]))].sort((a, b) => a - b);
  if (rows.length === 0) return series.map(({ name }) => name).join('\n\n');
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll(/\s+/g, ' ').trim().replaceAll('|', '\\|')).join(' | ')} |`;
  const categories = series.find((one) => one.categories.size > 0)?.categories;
  const body = rows.map((row) =>
    line([categories?.get(row) ?? String(row + 1), ...series.map(({ values }) => values.get(row) ?? '')]),
  );
  return [line(['', ...series.map(({ name }) => name)]), `|${' --- |'.repeat(series.length + 1)}`, ...body].join('\n');
}
