import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const MODULES = join(import.meta.dirname, '../node_modules');
const MIN_CHARS = 2000;
const SECTION_CHARS = 600;
const SECTIONS = 200;

/** The handbooks and change logs of the installed packages: real prose, code and lists, there after every `npm ci`. */
export function packageTexts(): string[] {
  return globSync('**/*.md', { cwd: MODULES })
    .toSorted()
    .map((file) => readFileSync(join(MODULES, file), 'utf8'))
    .filter((text) => text.length >= MIN_CHARS);
}

/** An endless sequence of documents of 200 sections each, with sentences of `texts` in a reproducible order. */
export function* shuffledTexts(texts: readonly string[]): Generator<string> {
  const sentences = texts
    .flatMap((text) => text.split(/(?<=[.!?])\s+/))
    .filter((text) => text.length > 30 && text.length < 400);
  const random = seeded(7);
  const draw = () => (sentences[Math.floor(random() * sentences.length)] as string).replaceAll('\n', ' ');
  for (let number = 0; ; number++) {
    const sections = Array.from({ length: SECTIONS }, (_, section) => {
      let text = '';
      while (text.length < SECTION_CHARS) text += `${draw()} `;
      return `## Section ${number}.${section}\n\n${text}`;
    });
    yield sections.join('\n\n');
  }
}

/** Questions of four to eight consecutive words of the texts. */
export function questions(texts: readonly string[], count: number): string[] {
  const random = seeded(11);
  return Array.from({ length: count }, () => {
    const words = (texts[Math.floor(random() * texts.length)] as string).match(/[A-Za-z]{3,}/g) ?? ['nothing'];
    const at = Math.floor(random() * Math.max(1, words.length - 8));
    return words.slice(at, at + 4 + Math.floor(random() * 5)).join(' ');
  });
}

export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}
