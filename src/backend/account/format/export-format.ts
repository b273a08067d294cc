import { z } from 'zod';
import {
  conversationInfoSchema,
  documentInfoSchema,
  projectSchema,
  storedTurnSchema,
  trashedSchema,
} from '../../../downstream/filesystem/filesystem.contract.js';

/** The layout of an exported account. A later layout gets a further number. */
export const FORMAT = 1;

/** `caudex.json`: the contents of the archive. It is the last entry, so that an archive that has it is complete. */
export const MANIFEST = 'caudex.json';
export const manifestSchema = z.object({
  format: z.literal(FORMAT),
  exported_at: z.string(),
  user: z.object({ user_id: z.string(), email: z.string() }),
  /** The folder of each project. */
  projects: z.array(z.object({ project_id: z.string(), folder: z.string() })),
  /** The JSON file of each conversation. */
  conversations: z.array(z.object({ conversation_id: z.string(), file: z.string() })),
  /** What could not be exported, and why: a service was away, or a stored file is damaged. */
  missing: z.array(z.object({ what: z.string(), reason: z.string() })),
});
export type Manifest = z.output<typeof manifestSchema>;

/** One document; the files are paths in the archive. */
export const exportedDocumentSchema = documentInfoSchema.extend({
  /** The bytes as they were uploaded. */
  file: z.string(),
  /** The media type of the upload, where a text was extracted from it; absent where the upload is the text. */
  original_type: z.string().optional(),
  /** The extracted text, where the upload is not the text itself. */
  text_file: z.string().optional(),
  /** The newest upload could not be read: the text is that of the one before. */
  unreadable: z.literal(true).optional(),
});
export type ExportedDocument = z.output<typeof exportedDocumentSchema>;

/** A document in the trash; `version` tells those of one path apart. */
export const exportedTrashedSchema = trashedSchema.extend({
  file: z.string(),
  original_type: z.string().optional(),
  text_file: z.string().optional(),
});
export type ExportedTrashed = z.output<typeof exportedTrashedSchema>;

/** `project.json` in the folder of a project. */
export const exportedProjectSchema = projectSchema.omit({ documents: true }).extend({
  documents: z.array(exportedDocumentSchema),
  /** Those deleted last first. Earlier exports have none. */
  trash: z.array(exportedTrashedSchema).default([]),
});
export type ExportedProject = z.output<typeof exportedProjectSchema>;

/** A conversation with the turns of all branches, oldest first. */
export const exportedConversationSchema = conversationInfoSchema
  .omit({ turns: true })
  .extend({ turns: z.array(storedTurnSchema) });
export type ExportedConversation = z.output<typeof exportedConversationSchema>;
