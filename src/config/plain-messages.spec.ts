import { z } from 'zod';
import './plain-messages.js';

const messages = (schema: z.ZodType, value: unknown) =>
  schema.safeParse(value).error?.issues.map(({ message }) => message);

it.each<[z.ZodType, unknown, string]>([
  [z.string(), undefined, 'it is missing; text is needed'],
  [z.string(), 7, 'text is needed, this is a number'],
  [z.number(), 'x', 'a number is needed, this is text'],
  [z.coerce.number(), 'x', 'a number is needed, this is none'],
  [z.int(), 1.5, '1.5 is no whole number'],
  [z.boolean(), null, 'true or false is needed, this is null'],
  [z.array(z.string()), {}, 'a list is needed, this is an object'],
  [z.object({}), [], 'an object is needed, this is a list'],
  [z.number().min(1), -1, '-1 is too small; 1 at least'],
  [z.number().max(9), 1e9, '1000000000 is too large; 9 at most'],
  [z.number().gt(0), 0, '0 is too small; more than 0 is needed'],
  [z.string().min(8), 'secret', 'it is too short; 8 characters at least'],
  [z.string().max(2), 'secret', 'it is too long; 2 characters at most'],
  [z.array(z.string()).min(1), [], 'it is too short; 1 entries at least'],
  [z.enum(['a', 'b']), 'c', '"a" or "b" is needed'],
  [z.strictObject({}), { a: 1 }, 'there is no such field here'],
  [z.string().regex(/^x$/, 'x alone is taken'), 'y', 'x alone is taken'],
])('%#: says in plain words what would be right', (schema, value, message) => {
  expect(messages(schema, value)).toEqual([message]);
});
