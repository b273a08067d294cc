import { WARNING_CODES } from '../../src/contract/warning.contract.ts';
import { t } from '../../web/src/texts/en.ts';

it('says what to do about every warning of a document', () => {
  expect(Object.keys(t.warningHelp).sort()).toEqual([...WARNING_CODES].sort());
});
