import type { Turn } from '../../downstream/filesystem/filesystem.contract.js';

/** A conversation as a text to read: each question as a heading, its answer below. */
export function conversationAsMarkdown({ title, turns }: { title: string; turns: readonly Turn[] }): string {
  const parts = turns.map(({ question, created_at, answer }) => {
    const state = answer.state === 'complete' ? '' : `\n\n*(${answer.state})*`;
    return `## ${question.replace(/\s+/g, ' ')}\n\n*${created_at}*\n\n${answer.text}${state}`;
  });
  return `${[`# ${title}`, ...parts].join('\n\n')}\n`;
}
