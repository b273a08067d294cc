import { z } from 'zod';

const NOUNS: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
};
const UNITS: Record<string, string> = { string: 'characters', array: 'entries' };
/** Only numbers are repeated in messages: a text may be a password. */
const shown = (value: unknown) => (typeof value === 'number' && !Number.isNaN(value) ? `${value} is` : 'it is');
const typeOf = (value: unknown) =>
  value === null
    ? 'null'
    : Array.isArray(value)
      ? 'a list'
      : Number.isNaN(value)
        ? 'none'
        : (NOUNS[typeof value] ?? 'none');

/** What was wrong and what would be right, without the vocabulary of schemas. */
export function plainMessage(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type': {
      const wanted = NOUNS[issue.expected] ?? issue.expected;
      if (issue.input === undefined) return `it is missing; ${wanted} is needed`;
      return issue.expected === 'int' && typeof issue.input === 'number'
        ? `${shown(issue.input)} no whole number`
        : `${wanted} is needed, this is ${typeOf(issue.input)}`;
    }
    case 'too_small':
    case 'too_big': {
      const small = issue.code === 'too_small';
      const limit = small ? issue.minimum : issue.maximum;
      const unit = UNITS[issue.origin];
      const strict = issue.inclusive === false ? (small ? 'more than ' : 'less than ') : '';
      if (unit === undefined)
        return `${shown(issue.input)} too ${small ? 'small' : 'large'}; ${strict}${limit}${strict === '' ? (small ? ' at least' : ' at most') : ' is needed'}`;
      return `it is too ${small ? 'short' : 'long'}; ${strict}${limit} ${unit} at ${small ? 'least' : 'most'}`;
    }
    case 'invalid_value':
      return `${issue.values.map((value) => JSON.stringify(value)).join(' or ')} is needed`;
    case 'unrecognized_keys':
      return issue.keys.length === 1 ? 'there is no such field here' : 'there are no such fields here';
    default:
      return undefined;
  }
}

z.config({ customError: plainMessage });
