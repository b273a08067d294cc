import { DocumentNames } from './document-names.js';

const project = { userId: 'ann', projectId: 'vault' };
const PATHS = [
  'Home.md',
  'Notes/House.md',
  'Archive/2020/House.md',
  'People/Müller.md',
  'a/Plan.md',
  'b/Plan.md',
  'scan.pdf',
];

describe('DocumentNames', () => {
  let names: DocumentNames;
  beforeEach(() => (names = new DocumentNames(() => PATHS)));

  it.each([
    ['House', 'Home.md', 'Notes/House.md'],
    ['house', 'Home.md', 'Notes/House.md'],
    ['House.md', 'Home.md', 'Notes/House.md'],
    ['2020/House', 'Home.md', 'Archive/2020/House.md'],
    ['Mu\u0308ller', 'Home.md', 'People/Müller.md'],
    ['Plan', 'b/other.md', 'b/Plan.md'],
    ['scan.pdf', 'Home.md', 'scan.pdf'],
    ['ouse', 'Home.md', undefined],
    ['Garage', 'Home.md', undefined],
  ])('%s in %s is %s', (name, from, path) => {
    expect(names.find(project, name, from)).toBe(path);
  });

  it('applies written and deleted documents', () => {
    expect(names.find(project, 'Garage', 'Home.md')).toBeUndefined();
    names.changed(project, 'x/Garage.md', true);
    expect(names.find(project, 'Garage', 'Home.md')).toBe('x/Garage.md');
    names.changed(project, 'x/Garage.md', false);
    expect(names.find(project, 'Garage', 'Home.md')).toBeUndefined();
  });
});
