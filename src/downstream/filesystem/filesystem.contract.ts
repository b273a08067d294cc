import { z } from 'zod';
import type { ServiceContract } from '../../contract/endpoint.js';
import { inventoryQuery, inventorySchema } from '../../contract/inventory.contract.js';
import { pageStartSchema } from '../../contract/page.contract.js';
import { correctionSchema, passageSchema } from '../../contract/passage.contract.js';
import { scopeSchema } from '../../contract/scope.contract.js';
import { warningSchema } from '../../contract/warning.contract.js';

const id = z.string().min(1).max(200);
const page = {
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  offset: z.coerce.number().int().min(0).default(0),
};

export const projectSchema = z
  .object({
    project_id: id,
    name: z.string(),
    created_at: z.string(),
    documents: z.int().min(0),
    /** What a model is told before every question about this project; empty where nothing is. */
    instructions: z.string().default(''),
  })
  .meta({ title: 'Project' });
export type Project = z.output<typeof projectSchema>;

export const documentInfoSchema = z
  .object({
    path: z.string(),
    /** The id of this state of the document; the same one names its commit. */
    version: z.string(),
    title: z.string(),
    media_type: z.string(),
    /** Of the text in UTF-8. */
    bytes: z.int().min(0),
    updated_at: z.string(),
    /** What the text does not have of the file that it was taken from; missing where nothing is known to be lost. */
    warnings: z.array(warningSchema).optional(),
  })
  .meta({ title: 'DocumentInfo' });
export type DocumentInfo = z.output<typeof documentInfoSchema>;

export const feedbackSchema = z
  .object({
    rating: z.enum(['up', 'down']),
    note: z.string(),
    /** UTC, ISO 8601. */
    given_at: z.string(),
  })
  .meta({ title: 'Feedback' });
export type Feedback = z.output<typeof feedbackSchema>;

/** One question and its answer, as kept. What the backend adds about an answer travels in `answer.metadata`. */
export const turnSchema = z.object({
  message_id: id,
  created_at: z.string(),
  question: z.string(),
  /** The turn that this one follows, where its asker said so (null: none); else it follows the newest. See `branch.ts`. */
  parent_id: id.nullable().optional(),
  /** What the turn is found by where a client goes on from it without naming it. */
  thread: z.string().max(100).optional(),
  answer: z.object({
    text: z.string(),
    /** `pending`: asked, not yet answered; `partial`: cut off; `failed`: no text came. */
    state: z.enum(['pending', 'complete', 'partial', 'failed']),
    /** Why the answer ended; missing while it is pending, and in turns of earlier releases. */
    finish_reason: z.enum(['stop', 'length', 'content_filter', 'error', 'cancelled']).optional(),
    metadata: z.record(z.string(), z.unknown()),
  }),
});
export type Turn = z.output<typeof turnSchema>;

/** A turn with its place among the others. */
export const storedTurnSchema = turnSchema
  .omit({ thread: true })
  .extend({
    /** The message ids of all versions of this turn, itself included, oldest first; missing where it is the only one. */
    siblings: z.array(id).optional(),
    feedback: feedbackSchema.optional(),
  })
  .meta({ title: 'Turn' });
export type StoredTurn = z.output<typeof storedTurnSchema>;

export const conversationInfoSchema = z
  .object({
    conversation_id: id,
    project_id: id.nullable(),
    title: z.string(),
    created_at: z.string(),
    updated_at: z.string(),
    /** In all branches together. */
    turns: z.int().min(0),
  })
  .meta({ title: 'ConversationInfo' });
export type ConversationInfo = z.output<typeof conversationInfoSchema>;

/** A conversation with some turns of one branch, oldest first: those from place `offset` on, of `total`. */
export const conversationSchema = conversationInfoSchema
  .omit({ turns: true })
  .extend({
    turns: z.array(storedTurnSchema),
    offset: z.int().min(0),
    total: z.int().min(0),
  })
  .meta({ title: 'Conversation' });

/**
 * Which turns of a conversation: of one branch (see `branch.ts`; without a choice of the one that ends with the newest turn) or
 * `all`, and of these the newest `last`, or `limit` from place `offset` on.
 */
const turnsQuery = z.strictObject({
  all: z.stringbool().optional(),
  until: id.optional(),
  through: id.optional(),
  last: z.coerce.number().int().min(1).optional(),
  limit: z.coerce.number().int().min(1).optional(),
  offset: z.coerce.number().int().min(0).optional(),
});
export type TurnsQuery = z.output<typeof turnsQuery>;

const inProject = z.strictObject({ project_id: id });
const inConversation = z.strictObject({ conversation_id: id });
const ofTurn = z.strictObject({ conversation_id: id, message_id: id });
const ofDocument = z.strictObject({ path: z.string().min(1) });

/**
 * Everything here belongs to the user of the call: what is somebody else's is 404 `not_found`, as if it did not exist.
 * Deletions answer a repeat as they answered the first call, whose answer may have been lost: `deleted` is false only where
 * there never was such a thing.
 */
export const filesystemContract = {
  /**
   * The caller makes the id, so that the call can be repeated: the same id and name again is a success, another name 409
   * `project_exists`. An id that was deleted is 410 `deleted`, here and in every other call that writes.
   */
  createProject: {
    method: 'POST',
    path: '/projects',
    body: z.strictObject({ project_id: id, name: z.string().min(1) }),
    response: projectSchema,
    status: 201,
    idempotent: true,
  },
  listProjects: {
    method: 'GET',
    path: '/projects',
    query: z.strictObject(page),
    response: z.object({ projects: z.array(projectSchema), total: z.int() }),
    idempotent: true,
  },
  getProject: {
    method: 'GET',
    path: '/projects/:project_id',
    params: inProject,
    response: projectSchema,
    idempotent: true,
  },
  updateProject: {
    method: 'PATCH',
    path: '/projects/:project_id',
    params: inProject,
    body: z.strictObject({ name: z.string().min(1).optional(), instructions: z.string().optional() }),
    response: projectSchema,
    idempotent: true,
  },
  deleteProject: {
    method: 'DELETE',
    path: '/projects/:project_id',
    params: inProject,
    response: z.object({ deleted: z.boolean() }),
    idempotent: true,
  },
  /**
   * Stores one state of a document. The text is given, or the bytes of a file, whose text is taken out of it (its media
   * type may name a charset) and whose original is kept; 422 `unreadable_document` says why that failed (the original is kept all the same).
   * A text equal to the stored one changes nothing and answers with the version there is, unless the version is the given
   * one too: then the call is a repeat, and the answer that of the first. 412 `version_conflict`; 415
   * `unsupported_media_type`; 507 `storage_full`.
   */
  putDocument: {
    method: 'PUT',
    path: '/projects/:project_id/document',
    params: inProject,
    query: ofDocument,
    body: z.strictObject({
      version: id,
      media_type: z.string(),
      text: z.string().optional(),
      content_base64: z.base64().optional(),
      /** Store only when this is the current version; `*`: only when there is none. */
      if_match: z.string().optional(),
      /** When the change came in, in ms since 1970: 409 `superseded` where a later one was stored meanwhile. */
      arrived_ms: z.number().optional(),
    }),
    response: documentInfoSchema.extend({ created: z.boolean(), changed: z.boolean() }),
    idempotent: true,
  },
  /** 409 `document_damaged` where the stored file is missing or is not what was written. */
  getDocument: {
    method: 'GET',
    path: '/projects/:project_id/document',
    params: inProject,
    query: ofDocument,
    /** `pages`: where the pages of a format with such begin in the text. */
    response: documentInfoSchema.extend({ text: z.string(), pages: z.array(pageStartSchema).optional() }),
    idempotent: true,
  },
  /** The file as it was sent, also one that no text could be taken from; 404 where the text itself is the original. */
  getOriginal: {
    method: 'GET',
    path: '/projects/:project_id/original',
    params: inProject,
    query: ofDocument,
    response: z.object({ path: z.string(), media_type: z.string(), readable: z.boolean(), content_base64: z.base64() }),
    idempotent: true,
  },
  /**
   * Takes the text out of the kept original once more, as an upload of it would: for a reader that reads more than it did.
   * 404; 409 `no_original` where the text itself was uploaded; further as {@link putDocument}.
   */
  extractDocument: {
    method: 'POST',
    path: '/projects/:project_id/extract',
    params: inProject,
    query: ofDocument,
    body: z.strictObject({ version: id, arrived_ms: z.number().optional() }),
    response: documentInfoSchema.extend({ created: z.boolean(), changed: z.boolean() }),
    idempotent: true,
  },
  /** The files that came in the original of a document, such as those attached to an e-mail. 404; 422 `unreadable_document`. */
  listAttachments: {
    method: 'GET',
    path: '/projects/:project_id/attachments',
    params: inProject,
    query: ofDocument,
    response: z.object({
      attachments: z.array(z.object({ name: z.string(), media_type: z.string(), content_base64: z.base64() })),
    }),
    idempotent: true,
  },
  deleteDocument: {
    method: 'DELETE',
    path: '/projects/:project_id/document',
    params: inProject,
    query: ofDocument.extend({ arrived_ms: z.coerce.number().optional() }),
    response: z.object({ deleted: z.boolean() }),
    idempotent: true,
  },
  listDocuments: {
    method: 'GET',
    path: '/projects/:project_id/documents',
    params: inProject,
    query: z.strictObject({ prefix: z.string().default(''), ...page }),
    response: z.object({ documents: z.array(documentInfoSchema), total: z.int() }),
    idempotent: true,
  },
  /** What the server has of every project of everybody, in pages: for comparing it with another server. */
  inventory: {
    method: 'GET',
    path: '/inventory',
    query: inventoryQuery,
    response: inventorySchema,
    idempotent: true,
  },
  /** Full-text search by BM25 over the passages of a project; `documents` is how many documents the project has. */
  search: {
    method: 'POST',
    path: '/projects/:project_id/search',
    params: inProject,
    body: z.strictObject({
      query: z.string(),
      limit: z.int().min(1).max(1000),
      offset: z.int().min(0).default(0),
      scope: scopeSchema.optional(),
      explain: z.boolean().default(false),
    }),
    response: z.object({
      results: z.array(passageSchema),
      total: z.int(),
      documents: z.int(),
      corrections: z.array(correctionSchema).optional(),
    }),
    idempotent: true,
  },
  /**
   * Writes or overwrites one turn, and the conversation with its first one. A turn never goes back: not from `complete` to
   * `partial`, nor from either to `failed` or `pending`. `project_id` is that of the turn; the conversation's is the first one
   * that a turn had. One that never was counts as none. 410 `deleted`.
   */
  putTurn: {
    method: 'PUT',
    path: '/conversations/:conversation_id/turns',
    params: inConversation,
    body: z.strictObject({ project_id: id.nullable(), turn: turnSchema }),
    response: z.object({ stored: z.literal(true) }),
    idempotent: true,
  },
  /** The turns behind it follow the one before it. A deleted turn stays deleted: {@link putTurn} answers 410 for it. */
  deleteTurn: {
    method: 'DELETE',
    path: '/conversations/:conversation_id/turns/:message_id',
    params: ofTurn,
    response: z.object({ deleted: z.boolean() }),
    idempotent: true,
  },
  /** The newest turn with this `thread`, sooner one that nothing follows yet; null where there is none. */
  findTurn: {
    method: 'GET',
    path: '/turns',
    query: z.strictObject({ thread: z.string().min(1).max(100) }),
    response: z.object({ found: z.object({ conversation_id: id, message_id: id }).nullable() }),
    idempotent: true,
  },
  /** Sets what a person thinks of an answer; null takes it back. */
  putFeedback: {
    method: 'PUT',
    path: '/conversations/:conversation_id/turns/:message_id/feedback',
    params: ofTurn,
    body: z.strictObject({ feedback: feedbackSchema.nullable() }),
    response: z.object({ stored: z.literal(true) }),
    idempotent: true,
  },
  listConversations: {
    method: 'GET',
    path: '/conversations',
    query: z.strictObject(page),
    response: z.object({ conversations: z.array(conversationInfoSchema), total: z.int() }),
    idempotent: true,
  },
  getConversation: {
    method: 'GET',
    path: '/conversations/:conversation_id',
    params: inConversation,
    /** 404 `not_found` also where there is no turn `until` or `through`. */
    query: turnsQuery,
    response: conversationSchema,
    idempotent: true,
  },
  renameConversation: {
    method: 'PATCH',
    path: '/conversations/:conversation_id',
    params: inConversation,
    body: z.strictObject({ title: z.string().min(1).max(200) }),
    response: conversationInfoSchema,
    idempotent: true,
  },
  /** A deleted id stays deleted: a turn that is delivered late does not bring its conversation back (410 `deleted`). */
  deleteConversation: {
    method: 'DELETE',
    path: '/conversations/:conversation_id',
    params: inConversation,
    response: z.object({ deleted: z.boolean() }),
    idempotent: true,
  },
} as const satisfies ServiceContract;
