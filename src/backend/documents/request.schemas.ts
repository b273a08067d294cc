import { z } from 'zod';
import { tagsSchema } from '../../contract/document-tags.js';
import { idSchema } from '../edge/schemas.js';

export const pathSchema = z.string().min(1).max(1000);

/** A document under its new path. */
export const pathsSchema = z.strictObject({ from: pathSchema, to: pathSchema }).meta({ title: 'Paths' });

export const tagsOfSchema = z.strictObject({ path: pathSchema, tags: tagsSchema }).meta({ title: 'TagsOfDocument' });

/** A document in the trash; of several with one path the version names one. */
export const inTrashSchema = z
  .strictObject({ path: pathSchema, version: idSchema.optional() })
  .meta({ title: 'DocumentInTrash' });
