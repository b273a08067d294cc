import { titleFrom } from './conversations.service.js';

describe('titleFrom', () => {
  it.each([
    ['What is this? And that?', 'What is this?'],
    ['  two\n lines ', 'two lines'],
    ['', 'Untitled'],
    ['?', '?'],
    [`${'word '.repeat(40)}`, `${'word '.repeat(15)}word…`],
    ['x'.repeat(100), `${'x'.repeat(79)}…`],
    ['𝕏'.repeat(81), `${'𝕏'.repeat(79)}…`],
  ])('makes of %j %j', (question, title) => {
    expect(titleFrom(question)).toBe(title);
    expect([...titleFrom(question)].length).toBeLessThanOrEqual(80);
  });
});
