import { changeQuestion } from './change-question.js';

/** A Wednesday. */
const NOW = new Date('2026-11-25T15:00:00Z');

describe('a question about change', () => {
  it.each([
    ['What did I change in chapter 3 last week?', { about: 'chapter 3', since: '2026-11-16T00:00:00.000Z' }],
    ['Who changed the introduction?', { about: 'introduction' }],
    ['who edited notes/plan.md yesterday', { about: 'notes/plan.md', since: '2026-11-24T00:00:00.000Z' }],
    ['When was the budget last updated?', { about: 'budget', sure: false }],
    ['What has changed since 2026-11-01?', { about: '', since: '2026-11-01T00:00:00.000Z' }],
    [
      'What was deleted on 2026-11-03?',
      { about: '', since: '2026-11-03T00:00:00.000Z', until: '2026-11-04T00:00:00.000Z' },
    ],
    ['which files changed before 2026-01-01', { about: '', until: '2026-01-01T00:00:00.000Z' }],
    [
      'What changed between 2026-01-01 and 2026-01-31?',
      { about: '', since: '2026-01-01T00:00:00.000Z', until: '2026-02-01T00:00:00.000Z' },
    ],
    ["What's new this month?", { about: '', since: '2026-11-01T00:00:00.000Z' }],
    ['What did we add to the recipe in the last 3 days?', { about: 'recipe', since: '2026-11-22T00:00:00.000Z' }],
    ['Show me the history of pears.md', { about: 'pears.md' }],
    ['Who wrote the storage chapter?', { about: 'storage chapter' }],
    ['What did I change today?', { about: '', since: '2026-11-25T00:00:00.000Z' }],
    ['what did she rewrite in the last year', { about: '', since: '2025-01-01T00:00:00.000Z' }],
    ['What changed in the last 24 hours?', { about: '', since: '2026-11-24T15:00:00.000Z' }],
    ['what did I edit this morning', { about: '', since: '2026-11-25T00:00:00.000Z' }],
    [
      'What was updated on November 24?',
      { about: '', since: '2026-11-24T00:00:00.000Z', until: '2026-11-25T00:00:00.000Z' },
    ],
    [
      'what changed on the 3rd of December 2025',
      { about: '', since: '2025-12-03T00:00:00.000Z', until: '2025-12-04T00:00:00.000Z' },
    ],
    ['What changed on Monday?', { about: '', since: '2026-11-23T00:00:00.000Z', until: '2026-11-24T00:00:00.000Z' }],
    ['show me my edits', { about: '' }],
    ['What did I change since two days ago?', { about: '', since: '2026-11-23T00:00:00.000Z' }],
    ['Was habe ich vor drei Tagen geändert?', { about: '', since: '2026-11-22T00:00:00.000Z' }],
    [
      'Which documents have I added in November 2025?',
      { about: '', since: '2025-11-01T00:00:00.000Z', until: '2025-12-01T00:00:00.000Z' },
    ],
    ['What has changed since March?', { about: '', since: '2026-03-01T00:00:00.000Z' }],
    ['Who may have changed the plan?', { about: 'plan' }],
    ['what changed in December', { about: '', since: '2025-12-01T00:00:00.000Z', until: '2026-01-01T00:00:00.000Z' }],
    ['What have I been working on in pears.md this week?', { about: 'pears.md', since: '2026-11-23T00:00:00.000Z' }],
    ['Was habe ich letzte Woche im Budget geändert?', { about: 'Budget', since: '2026-11-16T00:00:00.000Z' }],
    ['Wer hat gestern notizen/plan.md bearbeitet?', { about: 'notizen/plan.md', since: '2026-11-24T00:00:00.000Z' }],
    ['Was wurde in den letzten 3 Tagen hinzugefügt?', { about: '', since: '2026-11-22T00:00:00.000Z' }],
    ['Welche Dateien wurden seit dem 3. März gelöscht?', { about: '', since: '2026-03-03T00:00:00.000Z' }],
    ["Qu'est-ce que j'ai modifié la semaine dernière ?", { about: '', since: '2026-11-16T00:00:00.000Z' }],
    ['Qui a changé le budget hier ?', { about: 'budget', since: '2026-11-24T00:00:00.000Z' }],
    ['¿Qué cambié ayer en el presupuesto?', { about: 'presupuesto', since: '2026-11-24T00:00:00.000Z' }],
    ['Cosa ho modificato questa settimana?', { about: '', since: '2026-11-23T00:00:00.000Z' }],
    ['O que eu mudei há 2 dias?', { about: '', since: '2026-11-23T00:00:00.000Z' }],
    ['Wat heb ik vandaag in het verslag gewijzigd?', { about: 'verslag', since: '2026-11-25T00:00:00.000Z' }],
  ])('%s', (question, expected) => {
    expect(changeQuestion(question, NOW)).toEqual({ sure: true, ...expected });
  });

  it.each([
    'When do pears ripen?',
    'What changes when water freezes?',
    'What changes the colour of a pear?',
    'Who is the hero of chapter 3?',
    'How do I add sugar?',
    'What is the capital of France?',
    'What does the update policy say?',
    'Why did the empire fall?',
    'Wann reifen Birnen?',
    'Was ist die Hauptstadt von Frankreich?',
    'Quelle est la capitale de la France ?',
    '¿Cuándo maduran las peras?',
    'Was kostet eine Änderung der Satzung?',
  ])('is not: %s', (question) => {
    expect(changeQuestion(question, NOW)).toBeUndefined();
  });
});

it.each(['who did ', 'who ', 'changed ', 'when was ', 'last 3 days ', 'a.', '.', '2026-01-01 ', "what's new "])(
  'is told within 50 ms of a message of nothing but %j',
  (piece) => {
    for (const chars of [2000, 32_000]) {
      const began = process.threadCpuUsage();
      const about = changeQuestion(
        `who changed ${piece.repeat(Math.floor(chars / piece.length))}`.slice(0, chars),
        NOW,
      );
      expect(process.threadCpuUsage(began).user / 1000).toBeLessThan(50);
      expect((about?.about ?? '').length).toBeLessThanOrEqual(500);
    }
  },
);
