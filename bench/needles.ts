// Finds single facts in large amounts of similar text.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Embedder } from '../src/downstream/chroma/server/embedding/embedder.js';
import { type Document, IndexedCollection } from './in-process.ts';
import { seeded } from './real-text.ts';

export interface Found {
  name: string;
  questions: number;
  first: number;
  amongSix: number;
}

export async function needles(embedder?: Embedder): Promise<Found[]> {
  return [await codes(embedder), await facts(embedder)];
}

const NOTES = 300;

/** Notes of invented words, each with a unique code. */
async function codes(embedder: Embedder | undefined): Promise<Found> {
  const random = seeded(5);
  const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)] as T;
  const syllable = () => pick([...'bcdfgklmnprst']) + pick([...'aeiou']);
  const vocabulary = Array.from({ length: 1500 }, () => Array.from({ length: 2 + random() * 3 }, syllable).join(''));
  // Few words are frequent and most are rare, as in every language.
  const word = () => vocabulary[Math.min(1499, Math.floor((1 - random()) ** -1.1) - 1)] as string;
  const words = (count: number) => Array.from({ length: count }, word).join(' ');
  const filler = () => Array.from({ length: 9 }, () => words(14)).join('. ');
  const codeOf = (note: number) => `K${note * 7919 + 100_003}`;
  const documents = Array.from({ length: NOTES }, (_, note) => ({
    path: `note-${note}.md`,
    text: `# Note ${words(2)}\n\n${filler()}. The code of locker ${word()} is ${codeOf(note)}. ${filler()}.`,
  }));
  const asked = Array.from({ length: 20 }, (_, i) => i * 15);
  return found('300 notes, one code each', embedder, documents, [
    ...asked.map((note) => ({ question: codeOf(note), path: `note-${note}.md` })),
    ...asked.map((note) => ({ question: `What is code ${codeOf(note)}?`, path: `note-${note}.md` })),
  ]);
}

const MODULES = join(import.meta.dirname, '../node_modules');
const READMES = 120;
const FACTS: [fact: string, question: string][] = [
  ['Our VAT number is DE811907980.', 'What is our VAT number?'],
  ['The boiler was serviced by Mildred Okafor in March.', 'Who serviced the boiler?'],
  ['The spare key hangs behind the blue barometer.', 'Where is the spare key?'],
  ['The wifi password of the cabin is heron-lantern-42.', 'What is the wifi password of the cabin?'],
  ['Grandmother was born in Trondheim on 4 May 1931.', 'When was grandmother born?'],
  ['Invoice 2024-0117 was paid with a discount of three per cent.', 'Was invoice 2024-0117 paid?'],
  ['The dentist moved to Harbour Street 9.', "What is the dentist's address?"],
  ['Error E1024 means that the pump has run dry.', 'What does error E1024 mean?'],
  ['The warranty of the dishwasher ends in October 2027.', 'How long is the warranty of the dishwasher?'],
  ['The budget for the conference is 14,500 euros.', 'What is the budget for the conference?'],
  ['Patient files are kept for ten years.', 'How long are patient files kept?'],
  ['The orchard has 37 pear trees.', 'How many pear trees are in the orchard?'],
];

/** A sentence in the middle of each of twelve among 120 handbooks of installed packages. */
async function facts(embedder: Embedder | undefined): Promise<Found> {
  const readmes = globSync('**/README.md', { cwd: MODULES })
    .toSorted()
    .map((file) => readFileSync(join(MODULES, file), 'utf8'))
    .filter((text) => text.length > 3000)
    .slice(0, READMES);
  const documents = readmes.map((text, i) => {
    const fact = i % 10 === 3 ? FACTS[Math.floor(i / 10)]?.[0] : undefined;
    return { path: `readme-${i}.md`, text: fact === undefined ? text : inserted(text, fact) };
  });
  const questions = FACTS.map(([fact, question]) => ({ question, path: pathHolding(documents, fact) }));
  return found('12 facts in 120 READMEs', embedder, documents, questions);
}

function inserted(text: string, fact: string): string {
  const middle = text.indexOf('\n\n', text.length / 2);
  return middle === -1 ? `${text}\n\n${fact}\n` : `${text.slice(0, middle)}\n\n${fact}${text.slice(middle)}`;
}

function pathHolding(documents: readonly Document[], fact: string): string {
  const holding = documents.find(({ text }) => text.includes(fact));
  if (holding === undefined) throw new Error(`"${fact}" is in no document: too few READMEs are installed`);
  return holding.path;
}

async function found(
  name: string,
  embedder: Embedder | undefined,
  documents: readonly Document[],
  questions: readonly { question: string; path: string }[],
): Promise<Found> {
  const collection = await IndexedCollection.of(documents, embedder);
  let first = 0;
  let amongSix = 0;
  for (const { question, path } of questions) {
    const place = (await collection.search(question)).full.indexOf(path);
    if (place === 0) first++;
    if (place >= 0 && place < 6) amongSix++;
  }
  return { name, questions: questions.length, first, amongSix };
}
