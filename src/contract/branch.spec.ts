import { branchOf, type Linked, placesOf, spanOf } from './branch.js';

const turn = (message_id: string, parent_id?: string | null): Linked => ({ message_id, parent_id });
const ids = (turns: readonly Linked[]) => turns.map(({ message_id }) => message_id).join(' ');

describe('the branches of a conversation', () => {
  it('are a single one where no turn names another', () => {
    expect(ids(branchOf([turn('a'), turn('b'), turn('c')]))).toBe('a b c');
  });

  const edited = [turn('a'), turn('b'), turn('c'), turn('d', 'a'), turn('e')];

  it('end with the newest turn, and exclude the turns that it replaced', () => {
    expect(ids(branchOf(edited))).toBe('a d e');
  });

  it('continue from a turn to its newest successor, or end with it', () => {
    expect(ids(branchOf(edited, { through: 'b' }))).toBe('a b c');
    expect(ids(branchOf(edited, { through: 'a' }))).toBe('a d e');
    expect(ids(branchOf(edited, { until: 'b' }))).toBe('a b');
  });

  it('may start with a new first turn', () => {
    expect(ids(branchOf([turn('a'), turn('b'), turn('c', null)]))).toBe('c');
  });

  it('continue in an older branch that is named', () => {
    expect(ids(branchOf([...edited, turn('f', 'c'), turn('g')]))).toBe('a b c f g');
  });

  it('treat a turn that names a missing one as the successor of the turn before it', () => {
    expect(ids(branchOf([turn('a'), turn('b', 'gone')]))).toBe('a b');
  });

  it('list the versions of a turn', () => {
    const places = placesOf(edited);
    expect(places.get('d')).toEqual({ parent_id: 'a', siblings: ['b', 'd'] });
    expect(places.get('e')).toEqual({ parent_id: 'd' });
    expect(places.get('a')).toEqual({ parent_id: null });
  });

  it.each([
    [{}, 'a b c d e', 0],
    [{ last: 2 }, 'd e', 3],
    [{ last: 9 }, 'a b c d e', 0],
    [{ limit: 2, offset: 1 }, 'b c', 1],
    [{ offset: 9 }, '', 5],
  ])('are shown in pages: %j', (span, expected, offset) => {
    const page = spanOf(edited, span);
    expect({ ...page, turns: ids(page.turns) }).toEqual({ turns: expected, offset, total: 5 });
  });
});
