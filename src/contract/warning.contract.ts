import { z } from 'zod';

/** The codes that extractors give. Other strings are accepted from a server, because a newer one may have more. */
export const WARNING_CODES = [
  'attachments_apart',
  'attachments_left_out',
  'chapters_unreadable',
  'characters_replaced',
  'charset_detected',
  'charset_unknown',
  'charts_left_out',
  'comments_left_out',
  'cues_unreadable',
  'deletions_left_out',
  'embedded_files_left_out',
  'file_cut_short',
  'form_fields_left_out',
  'formulas_without_value',
  'hidden_sheets_read',
  'hidden_slides_read',
  'layout_left_out',
  'macros_left_out',
  'media_left_out',
  'messages_unreadable',
  'no_text',
  'ocr_confidence',
  'ocr_failed',
  'ocr_pending',
  'outputs_left_out',
  'pages_left_out',
  'pages_too_slow',
  'pages_unreadable',
  'pages_without_text',
  'parts_left_out',
  'pictures_left_out',
  'pictures_without_text',
  'repeated_cells_cut',
  'running_heads_once',
  'scripts_left_out',
] as const;
export type WarningCode = (typeof WARNING_CODES)[number];

/** Something of a file that its text does not have, or has only approximately. */
export const warningSchema = z
  .object({
    /** For programs, such as `pages_without_text`. */
    code: z.string().meta({ examples: [...WARNING_CODES] }) as unknown as z.ZodType<WarningCode>,
    /** For people: what is missing or changed. */
    detail: z.string(),
    count: z.int().optional(),
    /** A share, such as the mean confidence of a text recognition. */
    percent: z.number().optional(),
    /** Where in the file, such as `pages 2-10`. */
    place: z.string().optional(),
  })
  .meta({ title: 'Warning' });
export type Warning = z.output<typeof warningSchema>;
