import type { Table } from './tables.js';

const IN_PROJECT = ['user_id', 'project_id'];
const AT_PATH = [...IN_PROJECT, 'path'];
const IN_CONVERSATION = ['user_id', 'conversation_id'];

/** What the filesystem server keeps in either engine, each after those that it refers to. */
export const FILESYSTEM_TABLES: readonly Table[] = [
  { name: 'project', key: IN_PROJECT, columns: ['name', 'created_at', 'instructions', 'deleted'] },
  {
    name: 'document',
    key: AT_PATH,
    columns: [
      ...['version', 'first_version', 'title', 'media_type', 'bytes', 'updated_at', 'file', 'sha256', 'original_file'],
      ...['original_sha256', 'arrived_ms', 'stored_bytes', 'warnings', 'pages', 'original_type'],
    ],
  },
  { name: 'removed_document', key: AT_PATH, columns: ['arrived_ms'] },
  {
    name: 'unreadable',
    key: AT_PATH,
    columns: ['media_type', 'reason', 'received_at', 'file', 'sha256', 'stored_bytes'],
  },
  {
    name: 'conversation',
    key: IN_CONVERSATION,
    columns: ['project_id', 'title', 'created_at', 'updated_at', 'deleted'],
  },
  {
    name: 'turn',
    key: ['seq'],
    columns: [
      ...['user_id', 'conversation_id', 'message_id', 'project_id', 'created_at', 'asked_at', 'question', 'answer'],
      ...['state', 'metadata', 'parent', 'feedback', 'thread'],
    ],
  },
  { name: 'deleted_turn', key: [...IN_CONVERSATION, 'message_id'], columns: [] },
];
