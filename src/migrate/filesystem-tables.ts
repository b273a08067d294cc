import type { CopiedTable } from './copied-table.js';

const PROJECT = { user_id: 'encoded', project_id: 'encoded' } as const;
const PATH = { ...PROJECT, path: 'encoded' } as const;
const DOCUMENT = {
  ...({ ...PATH, version: 'encoded', first_version: 'encoded', title: 'encoded' } as const),
  ...({ media_type: 'encoded', bytes: 'integer', updated_at: 'text', file: 'text', sha256: 'text' } as const),
  ...({ original_file: 'text', original_sha256: 'text', arrived_ms: 'real', stored_bytes: 'integer' } as const),
  ...({ warnings: 'encoded', pages: 'text', original_type: 'encoded' } as const),
} as const;
const CONVERSATION = { user_id: 'encoded', conversation_id: 'encoded' } as const;

/** The tables that both engines have, each after those that it refers to. */
export const FILESYSTEM_TABLES: readonly CopiedTable[] = [
  {
    name: 'project',
    key: Object.keys(PROJECT),
    columns: { ...PROJECT, name: 'encoded', created_at: 'text', instructions: 'encoded', deleted: 'boolean' },
  },
  { name: 'document', key: Object.keys(PATH), columns: DOCUMENT },
  { name: 'trash', key: [...Object.keys(PATH), 'file'], columns: { ...DOCUMENT, deleted_at: 'text' } },
  { name: 'removed_document', key: Object.keys(PATH), columns: { ...PATH, arrived_ms: 'real' } },
  {
    name: 'unreadable',
    key: Object.keys(PATH),
    columns: {
      ...({ ...PATH, media_type: 'encoded', reason: 'encoded', received_at: 'text' } as const),
      ...({ file: 'text', sha256: 'text', stored_bytes: 'integer' } as const),
    },
  },
  {
    name: 'conversation',
    key: Object.keys(CONVERSATION),
    columns: {
      ...({ ...CONVERSATION, project_id: 'encoded', title: 'encoded' } as const),
      ...({ created_at: 'text', updated_at: 'text', deleted: 'boolean' } as const),
    },
  },
  {
    name: 'turn',
    key: ['seq'],
    columns: {
      ...({ seq: 'integer', ...CONVERSATION, message_id: 'encoded', project_id: 'encoded' } as const),
      ...({ created_at: 'encoded', asked_at: 'integer', question: 'encoded', answer: 'encoded' } as const),
      ...({ state: 'text', metadata: 'encoded', parent: 'encoded', feedback: 'encoded', thread: 'encoded' } as const),
    },
  },
  {
    name: 'deleted_turn',
    key: [...Object.keys(CONVERSATION), 'message_id'],
    columns: { ...CONVERSATION, message_id: 'encoded' },
  },
];
