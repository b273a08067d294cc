// Pages that are read per minute and the share of words that are read right, by the languages that are set: pages of
// A4 at 300 dpi in English, in German and in both, clean and noisy, and screenshots with small letters.
// `npm run bench:recognition`. Prints the table of docs/documents.md.
import { Tesseract } from '../dist/downstream/filesystem/server/extraction/recognition/tesseract.js';
import { drawing } from '../test/pictures.ts';

const ENGLISH = `The otter lives in rivers and along coasts, where it hunts for fish, crabs and frogs. It sleeps in
  dens that are called holts, usually between the roots of old trees, and marks its territory with droppings. The invoice
  of March is due within thirty days of its receipt; a reminder is sent after that, and interest of five percent is added.
  Kestrels hover above the meadow and look for voles in the long grass, while swallows gather on the wires before they
  leave for Africa. The committee agreed that the budget for the new bridge should be published before the end of the year.`;
const GERMAN = `Der Fischotter lebt an Flüssen und Küsten, wo er Fische, Krebse und Frösche jagt. Er schläft in Höhlen
  zwischen den Wurzeln alter Bäume und markiert sein Revier. Die Rechnung für März ist innerhalb von dreißig Tagen nach
  Zugang fällig; danach wird gemahnt, und es werden fünf Prozent Zinsen berechnet. Turmfalken rütteln über der Wiese und
  spähen nach Wühlmäusen im hohen Gras, während sich die Schwalben auf den Drähten sammeln, bevor sie nach Süden ziehen.
  Der Ausschuss beschloss, dass der Haushalt für die neue Brücke vor Jahresende veröffentlicht werden müsse.`;

const words = (text: string) => text.split(/\s+/).filter((word) => word !== '');

/** Lines of about this many letters. */
function linesOf(text: string, letters: number, count: number): string[] {
  const lines: string[] = [];
  const all = words(text);
  for (let at = 0, line = ''; lines.length < count; at++) {
    const word = all[at % all.length] as string;
    if (line.length + word.length > letters) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}

const A4 = { width: 2480, height: 3508, letters: 46 };
const SCREEN = { width: 700, height: 500, letters: 14 };
const PAGES = [
  { name: 'English, A4', lines: linesOf(ENGLISH, 90, 42), drawn: A4 },
  { name: 'German, A4', lines: linesOf(GERMAN, 90, 42), drawn: A4 },
  { name: 'both, A4', lines: linesOf(`${ENGLISH} ${GERMAN}`, 90, 42), drawn: A4 },
  { name: 'both, A4, 3 % noise', lines: linesOf(`${ENGLISH} ${GERMAN}`, 90, 42), drawn: { ...A4, noise: 0.03 } },
  { name: 'both, on its side', lines: linesOf(`${ENGLISH} ${GERMAN}`, 90, 42), drawn: { ...A4, turns: 1 } },
  { name: 'both, screenshot', lines: linesOf(`${ENGLISH} ${GERMAN}`, 80, 18), drawn: SCREEN },
];

function shareRead(lines: readonly string[], text: string): number {
  const found = new Map<string, number>();
  for (const word of words(text)) found.set(word, (found.get(word) ?? 0) + 1);
  const expected = words(lines.join(' '));
  const right = expected.filter((word) => {
    const left = found.get(word) ?? 0;
    found.set(word, left - 1);
    return left > 0;
  });
  return right.length / expected.length;
}

console.log('| page | languages | words right | confidence | CPU s | pages a minute and processor |');
console.log('| --- | --- | --- | --- | --- | --- |');
for (const languages of [['eng'], ['deu'], ['eng', 'deu'], ['deu', 'eng']]) {
  const tesseract = await Tesseract.load(languages);
  for (const { name, lines, drawn } of PAGES) {
    const file = await drawing(lines, drawn).encode('png');
    // The time of the processor does not depend on what else the machine does.
    const before = process.cpuUsage();
    const read = tesseract.recognise({ file, orientation: 1 }, Infinity);
    const { user, system } = process.cpuUsage(before);
    const s = (user + system) / 1e6;
    const share = (100 * shareRead(lines, read?.text ?? '')).toFixed(0);
    const rate = (60 / s).toFixed(0);
    console.log(`| ${name} | ${languages.join(', ')} | ${share} % | ${read?.confidence} | ${s.toFixed(1)} | ${rate} |`);
  }
}
