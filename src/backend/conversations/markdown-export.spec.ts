import { conversationAsMarkdown } from './markdown-export.js';

describe('conversationAsMarkdown', () => {
  it('exports questions, answers, their state, and the cited sources', () => {
    const sources = ['a', 'b', 'c', 'd'].map((name) => ({ document: `${name}.md`, title: name === 'd' ? '' : name }));
    const text = conversationAsMarkdown({
      title: 'Pears',
      turns: [
        {
          ...{ message_id: '1', created_at: '2025-01-02T03:04:05Z', question: 'When\ndo they ripen?' },
          answer: { text: 'In May [1], or June [3-4].', state: 'complete', metadata: { sources } },
        },
        {
          ...{ message_id: '2', created_at: '2025-01-02T03:05:05Z', question: 'Why?' },
          answer: { text: 'Because', state: 'partial', metadata: {} },
        },
      ],
    });
    expect(text).toBe(`# Pears

## When do they ripen?

*2025-01-02T03:04:05Z*

In May [1], or June [3-4].

- [1] a (a.md)
- [3] c (c.md)
- [4] d.md

## Why?

*2025-01-02T03:05:05Z*

Because

*(partial)*
`);
  });
});
