import { z } from 'zod';
import { Problem } from '../../../http/problem.js';

const MAX_EMAIL_LENGTH = 254;
const MAX_SHOWN_CHARS = 100;

/** The form in which addresses are compared. */
export const normalised = (email: string) => email.trim().normalize('NFC').toLowerCase();

/** @throws Problem 422 `email_invalid` */
export function addressOf(email: string): string {
  const address = normalised(email);
  if (address.length <= MAX_EMAIL_LENGTH && z.email().safeParse(address).success) return address;
  const shown = email.length <= MAX_SHOWN_CHARS ? email : `${email.slice(0, MAX_SHOWN_CHARS)}…`;
  const detail = `email: "${shown}" is not an e-mail address like name@example.com`;
  throw new Problem({ status: 422, code: 'email_invalid', detail });
}
