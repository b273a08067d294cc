import { ThinkFilter } from './think-filter.js';

interface Read {
  text: string;
  reasoning: string;
  isNextOpened: boolean;
}

function read(text: string, { size = text.length, isOpened = false, isCut = false } = {}): Read {
  const filter = new ThinkFilter(isOpened);
  const parts = Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size));
  const thoughts = [...parts.map((part) => filter.push(part)), filter.end(isCut)];
  const retraction = thoughts.findLastIndex(({ retracts }) => retracts);
  const joined = (field: 'text' | 'reasoning') =>
    thoughts
      .slice(Math.max(0, retraction))
      .map((thought) => thought[field])
      .join('');
  return { text: joined('text'), reasoning: joined('reasoning'), isNextOpened: filter.isNextOpened };
}

describe('ThinkFilter', () => {
  it.each([
    ['<think>a</think>\n\nB', 'a', 'B'],
    ['\n<THINK>\na\n</THINK>B', '\na\n', 'B'],
    ['<thinking>a < b</thinking>B', 'a < b', 'B'],
    ['<thought>a</thought>B', 'a', 'B'],
    ['<seed:think>a</seed:think>B', 'a', 'B'],
    ['[THINK]a[/THINK]B', 'a', 'B'],
    ['◁think▷a◁/think▷B', 'a', 'B'],
    ['<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>B', 'a', 'B'],
    ['<think></think>\n\n<think>İ a</think> B', 'İ a', 'B'],
    ['<think>a', 'a', ''],
    ['Use <think>x</think> here', '', 'Use <think>x</think> here'],
    ['<b>x</b>', '', '<b>x</b>'],
    ['<thinking about pears', '', '<thinking about pears'],
    ['<', '', '<'],
  ])('separates the thinking in %j, wherever it is split', (text, reasoning, answer) => {
    for (const size of [1, 2, 3, 7, text.length]) {
      expect(read(text, { size })).toMatchObject({ reasoning, text: answer });
    }
  });

  it('learns that the prompt opens the thinking, and reads the next answer by it', () => {
    const text = 'Hm, pears.\n</think>\n\nIn September.';
    expect(read(text).isNextOpened).toBe(true);
    for (const size of [1, 5, text.length]) {
      expect(read(text, { size, isOpened: true })).toEqual({
        reasoning: 'Hm, pears.\n',
        text: 'In September.',
        isNextOpened: true,
      });
    }
    expect(read('<think>Hm.</think>In September.', { isOpened: true })).toMatchObject({ text: 'In September.' });
  });

  it('returns an answer without any mark as the answer, and forgets what it learned', () => {
    expect(read('In September.', { size: 4, isOpened: true })).toMatchObject({
      text: 'In September.',
      isNextOpened: false,
    });
  });

  it('takes text that the limit of tokens cut for thinking', () => {
    expect(read('Hm, pears', { size: 4, isOpened: true, isCut: true })).toMatchObject({
      text: '',
      reasoning: 'Hm, pears',
    });
  });

  it.each([
    'Hm, pears.</think>In September.',
    'Hm, pears. </think>\n\nIn September.',
    'Hm, "pears"</think>\nIn September.',
    'Hm, (pears) **42**\n</THINK> In September.',
    'Hm:\n```\nx\n```\n</think>\n\nIn September.',
    'Hm, `a` and `b`.</think>\n\nIn September.',
    'Hm.[/THINK]In September.',
    '</think>\n\nIn September.',
    '\n</think>\n\nIn September.',
  ])('returns only the answer of %j, wherever it is split', (text) => {
    for (const size of [1, 2, 3, 7, text.length]) expect(read(text, { size }).text).toBe('In September.');
  });

  it.each([
    'Close it with </think> at the end.',
    'The block ends with </think>\n\nThen comes the answer.',
    'First <think>\n</think>\n is empty.',
    'Write `</think>` there.',
    'Write "</think>" there, or (</think>), then </think>.',
    'As here:\n```\nhm.\n</think>\n```\nThat is all.',
    'a < b and c </d> [1].',
  ])('returns all of %j, because the mark is part of the answer', (text) => {
    for (const size of [1, 2, 3, 7, text.length]) {
      expect(read(text, { size })).toEqual({ text, reasoning: '', isNextOpened: false });
    }
  });
});
