import { z } from 'zod';
import type { Turn } from '../../downstream/filesystem/filesystem.contract.js';

const sourcesSchema = z.object({ sources: z.array(z.object({ document: z.string(), title: z.string() })) });

/** A conversation as readable text: each question as a heading, then the answer and the sources of its citations. */
export function conversationAsMarkdown({ title, turns }: { title: string; turns: readonly Turn[] }): string {
  const parts = turns.map(({ question, created_at, answer }) => {
    const state = answer.state === 'complete' ? '' : `*(${answer.state})*`;
    return [`## ${oneLine(question)}`, `*${created_at}*`, answer.text, state, sourcesOf(answer)]
      .filter((part) => part !== '')
      .join('\n\n');
  });
  return `${[`# ${oneLine(title)}`, ...parts].join('\n\n')}\n`;
}

/** Only the sources that the answer cites. */
function sourcesOf({ text, metadata }: Turn['answer']): string {
  const { data } = sourcesSchema.safeParse(metadata);
  const cited = new Set([...text.matchAll(/\[([\d\s,;–-]+)\]/g)].flatMap(([, list]) => numbersIn(list ?? '')));
  return (data?.sources ?? [])
    .flatMap(({ document, title }, index) => {
      const name = title === '' || title === document ? document : `${title} (${document})`;
      return cited.has(index + 1) ? [`- [${index + 1}] ${oneLine(name)}`] : [];
    })
    .join('\n');
}

/** `1, 3-5`: 1, 3, 4 and 5. */
function numbersIn(list: string): number[] {
  return list.split(/[,;]/).flatMap((part) => {
    const [from = NaN, to = from] = part.split(/[–-]/).map(Number);
    return to - from < 100 ? Array.from({ length: to - from + 1 }, (_, i) => from + i) : [];
  });
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();
