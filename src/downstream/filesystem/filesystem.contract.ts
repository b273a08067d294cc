import { z } from 'zod';
import type { ServiceContract } from '../../contract/endpoint.js';
import { inventoryQuery, inventorySchema } from '../../contract/inventory.contract.js';
import { pageStartSchema } from '../../contract/page.contract.js';
import { correctionSchema, passageSchema } from '../../contract/passage.contract.js';
import { tagsSchema } from '../../contract/document-tags.js';
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
    /** Instructions for a model before every question about this project; empty where there are none. */
    instructions: z.string().default(''),
  })
  .meta({ title: 'Project' });
export type Project = z.output<typeof projectSchema>;

export const documentInfoSchema = z
  .object({
    path: z.string(),
    /** The id of this state of the document, which is also the id of its commit. */
    version: z.string(),
    title: z.string(),
    media_type: z.string(),
    /** The size of the text in UTF-8. */
    bytes: z.int().min(0),
    updated_at: z.string(),
    /** Content of the file that the extracted text lacks; absent where no loss is known. */
    warnings: z.array(warningSchema).optional(),
    /** Those that were set by a person, beside those in its front matter; absent where there are none. */
    tags: z.array(z.string()).optional(),
  })
  .meta({ title: 'DocumentInfo' });
export type DocumentInfo = z.output<typeof documentInfoSchema>;

/** A deleted document in the trash. `version` is the one that it had when it was deleted. */
export const trashedSchema = documentInfoSchema
  .extend({
    /** UTC, ISO 8601. */
    deleted_at: z.string(),
    /** From when on it is removed for good. */
    expires_at: z.string(),
  })
  .meta({ title: 'TrashedDocument' });
export type Trashed = z.output<typeof trashedSchema>;

export const feedbackSchema = z
  .object({
    rating: z.enum(['up', 'down']),
    note: z.string(),
    /** UTC, ISO 8601. */
    given_at: z.string(),
  })
  .meta({ title: 'Feedback' });
export type Feedback = z.output<typeof feedbackSchema>;

/** One stored question and its answer. Further data of the backend about an answer are in `answer.metadata`. */
export const turnSchema = z.object({
  message_id: id,
  created_at: z.string(),
  question: z.string(),
  /**
   * The turn that this one follows, where the client named it (null: none); otherwise it follows the newest. See
   * `branch.ts`.
   */
  parent_id: id.nullable().optional(),
  /** The key by which the turn is found where a client continues from it without naming it. */
  thread: z.string().max(100).optional(),
  answer: z.object({
    text: z.string(),
    /** `pending`: asked, not yet answered; `partial`: incomplete; `failed`: no text was received. */
    state: z.enum(['pending', 'complete', 'partial', 'failed']),
    /** Why the answer ended; absent while it is pending, and in turns of earlier releases. */
    finish_reason: z.enum(['stop', 'length', 'content_filter', 'error', 'cancelled']).optional(),
    metadata: z.record(z.string(), z.unknown()),
  }),
});
export type Turn = z.output<typeof turnSchema>;

/** A turn with its place among the others. */
export const storedTurnSchema = turnSchema
  .omit({ thread: true })
  .extend({
    /**
     * The message ids of all versions of this turn, including itself, oldest first; absent where it is the only one.
     */
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
    /** The number of turns in all branches together. */
    turns: z.int().min(0),
  })
  .meta({ title: 'ConversationInfo' });
export type ConversationInfo = z.output<typeof conversationInfoSchema>;

/** A conversation with some turns of one branch, oldest first: those from position `offset`, of `total`. */
export const conversationSchema = conversationInfoSchema
  .omit({ turns: true })
  .extend({
    turns: z.array(storedTurnSchema),
    offset: z.int().min(0),
    total: z.int().min(0),
  })
  .meta({ title: 'Conversation' });

/**
 * Selects turns of a conversation: of one branch (see `branch.ts`; by default the one that ends with the newest turn)
 * or `all`, and of these the newest `last`, or `limit` from position `offset`.
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

/** A document before and after a move, or one and its copy. */
export const movedSchema = z.object({ from: z.string(), to: z.string(), version: id }).meta({ title: 'MovedDocument' });
/** Of one call, so that one transaction does not delay others for long. */
export const MAX_MOVED_DOCUMENTS = 1000;

/** Of one call. */
export const MAX_BATCH_DOCUMENTS = 200;

const storedSchema = documentInfoSchema.extend({ created: z.boolean(), changed: z.boolean() });
const readSchema = documentInfoSchema.extend({ text: z.string(), pages: z.array(pageStartSchema).optional() });
/** A document that a call for several could not store or read. */
const refusedSchema = z.object({ path: z.string(), status: z.int(), code: z.string(), detail: z.string() });

const inProject = z.strictObject({ project_id: id });
const inConversation = z.strictObject({ conversation_id: id });
const ofTurn = z.strictObject({ conversation_id: id, message_id: id });
const ofDocument = z.strictObject({ path: z.string().min(1) });

/**
 * Every call concerns the user of the call: another user's data is 404 `not_found`, as if it did not exist. A repeated
 * deletion is answered like the first call, whose answer may have been lost: `deleted` is false only where the object
 * never existed.
 */
export const filesystemContract = {
  /**
   * The caller makes the id, so that the call can be repeated: the same id and name again is a success, another name
   * 409 `project_exists`. A deleted id is 410 `deleted`, here and in every other call that writes.
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
   * Stores one state of a document: a text, or the bytes of a file. The text is extracted from a file (its media type
   * may name a charset) and the original is kept; 422 `unreadable_document` with the reason where that failed (the
   * original is kept all the same). A text equal to the stored one changes nothing and returns the existing version,
   * unless the version is also the given one: then the call is a repetition, and gets the answer of the first. 412
   * `version_conflict`; 415 `unsupported_media_type`; 507 `storage_full`.
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
      /** Store only if this is the current version; `*`: only if there is none. */
      if_match: z.string().optional(),
      /** When the change arrived, in ms since 1970: 409 `superseded` where a later one was stored meanwhile. */
      arrived_ms: z.number().optional(),
      /** For a document that is created; one that exists keeps its own. */
      tags: tagsSchema.optional(),
    }),
    response: storedSchema,
    idempotent: true,
  },
  /**
   * {@link putDocument} for the texts of several documents, which share their writes to the disk. Each has its answer in
   * its place; one that is refused does not stop the others.
   */
  putDocuments: {
    method: 'PUT',
    path: '/projects/:project_id/documents',
    params: inProject,
    body: z.strictObject({
      documents: z
        .array(
          z.strictObject({
            path: z.string().min(1),
            version: id,
            media_type: z.string(),
            text: z.string(),
            /** When the change arrived, in ms since 1970. */
            arrived_ms: z.number().optional(),
          }),
        )
        .min(1)
        .max(MAX_BATCH_DOCUMENTS)
        .refine(
          (documents) => new Set(documents.map(({ path }) => path)).size === documents.length,
          'two documents have the same path; send them one after the other',
        ),
    }),
    response: z.object({ documents: z.array(z.union([storedSchema, refusedSchema])) }),
    idempotent: true,
  },
  /**
   * {@link getDocument} for several documents. The answer ends after about 1,000,000 characters of text: then it has the
   * beginning of the list, at least one of it.
   */
  readDocuments: {
    method: 'POST',
    path: '/projects/:project_id/documents/read',
    params: inProject,
    body: z.strictObject({ paths: z.array(z.string().min(1)).min(1).max(MAX_BATCH_DOCUMENTS) }),
    response: z.object({ documents: z.array(z.union([readSchema, refusedSchema])) }),
    idempotent: true,
    safe: true,
  },
  /** 409 `document_damaged` where the stored file is missing or is not the one that was written. */
  getDocument: {
    method: 'GET',
    path: '/projects/:project_id/document',
    params: inProject,
    query: ofDocument,
    /** `pages`: where the pages begin in the text, for a format with pages. */
    response: readSchema,
    idempotent: true,
  },
  /** The uploaded file, also where no text could be extracted; 404 where the text itself is the original. */
  getOriginal: {
    method: 'GET',
    path: '/projects/:project_id/original',
    params: inProject,
    query: ofDocument,
    response: z.object({ path: z.string(), media_type: z.string(), readable: z.boolean(), content_base64: z.base64() }),
    idempotent: true,
  },
  /**
   * Extracts the text from the stored original again, like an upload of it: for a reader that was improved. 404; 409
   * `no_original` where the text itself was uploaded; otherwise like {@link putDocument}.
   */
  extractDocument: {
    method: 'POST',
    path: '/projects/:project_id/extract',
    params: inProject,
    query: ofDocument,
    body: z.strictObject({ version: id, arrived_ms: z.number().optional() }),
    response: storedSchema,
    idempotent: true,
  },
  /**
   * The files contained in the original of a document, such as those attached to an e-mail. 404; 422
   * `unreadable_document`.
   */
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
  /** Sets the tags of a document, which stay with its further versions and its moves. 404 */
  tagDocument: {
    method: 'PUT',
    path: '/projects/:project_id/document/tags',
    params: inProject,
    query: ofDocument,
    body: z.strictObject({ tags: tagsSchema }),
    response: documentInfoSchema,
    idempotent: true,
  },
  /** {@link tagDocument} for several documents. Each has its answer in its place; one that is refused does not stop the others. */
  tagDocuments: {
    method: 'PUT',
    path: '/projects/:project_id/documents/tags',
    params: inProject,
    body: z.strictObject({
      documents: z
        .array(z.strictObject({ path: z.string().min(1), tags: tagsSchema }))
        .min(1)
        .max(MAX_BATCH_DOCUMENTS),
    }),
    response: z.object({ documents: z.array(z.union([documentInfoSchema, refusedSchema])) }),
    idempotent: true,
  },
  /** `trash`: the document with its original goes to the trash; 422 `trash_off` where the configuration has none. */
  deleteDocument: {
    method: 'DELETE',
    path: '/projects/:project_id/document',
    params: inProject,
    query: ofDocument.extend({ arrived_ms: z.coerce.number().optional(), trash: z.stringbool().optional() }),
    response: z.object({ deleted: z.boolean() }),
    idempotent: true,
  },
  /** {@link deleteDocument} for several documents. Each has its answer in its place; one that is refused does not stop the others. */
  deleteDocuments: {
    method: 'POST',
    path: '/projects/:project_id/documents/delete',
    params: inProject,
    body: z.strictObject({
      paths: z.array(z.string().min(1)).min(1).max(MAX_BATCH_DOCUMENTS),
      trash: z.boolean().default(false),
      arrived_ms: z.number().optional(),
    }),
    response: z.object({
      documents: z.array(z.union([z.object({ path: z.string(), deleted: z.boolean() }), refusedSchema])),
    }),
    idempotent: true,
  },
  /** The documents in the trash of a project, those deleted last first. */
  listTrash: {
    method: 'GET',
    path: '/projects/:project_id/trash',
    params: inProject,
    query: z.strictObject(page),
    response: z.object({ documents: z.array(trashedSchema), total: z.int() }),
    idempotent: true,
  },
  /** A document in the trash with its text, and the file from which the text was extracted. 404. */
  getTrashed: {
    method: 'GET',
    path: '/projects/:project_id/trash/document',
    params: inProject,
    query: ofDocument.extend({ version: id }),
    response: trashedSchema.extend({
      text: z.string(),
      original: z.object({ media_type: z.string(), content_base64: z.base64() }).optional(),
    }),
    idempotent: true,
  },
  /**
   * Puts a document into the trash as if it had been deleted at `deleted_at`; where its time there is over, as if deleted
   * now. The body is as that of {@link putDocument}. `stored` is false where the trash has this version of the document.
   * 404; 422 `trash_off`, `unreadable_document`; 507.
   */
  bringTrashed: {
    method: 'PUT',
    path: '/projects/:project_id/trash/document',
    params: inProject,
    query: ofDocument,
    body: z.strictObject({
      version: id,
      deleted_at: z.iso.datetime(),
      media_type: z.string(),
      text: z.string().optional(),
      content_base64: z.base64().optional(),
      tags: tagsSchema.optional(),
    }),
    response: z.object({ stored: z.boolean() }),
    idempotent: true,
  },
  /**
   * Puts a document from the trash back to its path, with its text, original, pages and warnings, as `version`. Of
   * several with one path the one deleted last, or the one with the version `trashed_version`. 404; 409 `path_taken`; 507.
   */
  restoreDocument: {
    method: 'POST',
    path: '/projects/:project_id/trash/restore',
    params: inProject,
    query: ofDocument,
    body: z.strictObject({ version: id, trashed_version: id.optional(), arrived_ms: z.number().optional() }),
    response: storedSchema,
    idempotent: true,
  },
  /** {@link restoreDocument} for several documents. Each has its answer in its place; one that is refused does not stop the others. */
  restoreDocuments: {
    method: 'POST',
    path: '/projects/:project_id/trash/restore/batch',
    params: inProject,
    body: z.strictObject({
      documents: z
        .array(z.strictObject({ path: z.string().min(1), version: id, trashed_version: id.optional() }))
        .min(1)
        .max(MAX_BATCH_DOCUMENTS),
      arrived_ms: z.number().optional(),
    }),
    response: z.object({ documents: z.array(z.union([storedSchema, refusedSchema])) }),
    idempotent: true,
  },
  /** {@link emptyTrash} for several paths, of each all documents or the one with this version. */
  removeTrashed: {
    method: 'POST',
    path: '/projects/:project_id/trash/remove',
    params: inProject,
    body: z.strictObject({
      documents: z
        .array(z.strictObject({ path: z.string().min(1), version: id.optional() }))
        .min(1)
        .max(MAX_BATCH_DOCUMENTS),
    }),
    response: z.object({ removed: z.int().min(0) }),
    idempotent: true,
  },
  /** Removes from the trash for good: all of it, the documents of one path, or one of them. `removed` counts them. */
  emptyTrash: {
    method: 'DELETE',
    path: '/projects/:project_id/trash',
    params: inProject,
    query: z.strictObject({ path: z.string().min(1).optional(), version: id.optional() }),
    response: z.object({ removed: z.int().min(0) }),
    idempotent: true,
  },
  /**
   * Moves or copies a document, or all documents of a folder where `from` ends with `/`: all or none. They get `version`,
   * and keep text, original, pages and warnings. `from_version` is the version before; absent in the answer to a
   * repetition. 404; 409 `path_taken`, `superseded`; 413 `too_many_documents`; 422 `move_into_itself`; 507.
   */
  moveDocuments: {
    method: 'POST',
    path: '/projects/:project_id/move',
    params: inProject,
    body: z.strictObject({
      from: z.string().min(1),
      to: z.string().min(1),
      version: id,
      copy: z.boolean().default(false),
      /** When the change arrived, in ms since 1970. */
      arrived_ms: z.number().optional(),
    }),
    response: z.object({ moved: z.array(movedSchema.extend({ from_version: id.optional() })) }),
    idempotent: true,
  },
  /**
   * {@link moveDocuments} for several single documents, which get the same version. Each has its answer in its place; one
   * that is refused does not stop the others.
   */
  moveEach: {
    method: 'POST',
    path: '/projects/:project_id/documents/move',
    params: inProject,
    body: z.strictObject({
      moves: z
        .array(z.strictObject({ from: z.string().min(1), to: z.string().min(1) }))
        .min(1)
        .max(MAX_BATCH_DOCUMENTS),
      version: id,
      arrived_ms: z.number().optional(),
    }),
    response: z.object({
      documents: z.array(z.union([movedSchema.extend({ from_version: id.optional() }), refusedSchema])),
    }),
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
  /** The documents of all projects of all users, in pages, for a comparison with another server. */
  inventory: {
    method: 'GET',
    path: '/inventory',
    query: inventoryQuery,
    response: inventorySchema,
    idempotent: true,
  },
  /**
   * The documents of all users that got a text by recognition of their pictures after this time of the server's clock
   * (`until_ms` of the call before), and how many documents still wait. After a restart it starts empty.
   */
  recognised: {
    method: 'GET',
    path: '/recognised',
    query: z.strictObject({ after_ms: z.coerce.number().min(0).default(0) }),
    response: z.object({
      documents: z.array(z.object({ user_id: z.string(), project_id: id, path: z.string(), version: z.string() })),
      until_ms: z.number(),
      pending: z.int().min(0),
    }),
    idempotent: true,
  },
  /** The documents of a project of which pictures wait for their recognition, and the number of these pictures. */
  recognition: {
    method: 'GET',
    path: '/projects/:project_id/recognition',
    params: inProject,
    response: z.object({ documents: z.int().min(0), pages: z.int().min(0) }),
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
      /** How many of the documents are not in the index yet, while it is being built; absent where all are. */
      not_indexed: z.int().min(1).optional(),
      corrections: z.array(correctionSchema).optional(),
    }),
    idempotent: true,
    safe: true,
  },
  /**
   * Writes or overwrites one turn, and creates the conversation with its first one. The state of a turn never goes
   * back: not from `complete` to `partial`, nor from either to `failed` or `pending`. `project_id` is that of the turn;
   * the conversation's is the first one that a turn had. An id that never existed counts as none. 410 `deleted`.
   */
  putTurn: {
    method: 'PUT',
    path: '/conversations/:conversation_id/turns',
    params: inConversation,
    body: z.strictObject({ project_id: id.nullable(), turn: turnSchema }),
    response: z.object({ stored: z.literal(true) }),
    idempotent: true,
  },
  /**
   * The turns after it then follow the one before it. A deleted turn stays deleted: {@link putTurn} answers 410 for it.
   */
  deleteTurn: {
    method: 'DELETE',
    path: '/conversations/:conversation_id/turns/:message_id',
    params: ofTurn,
    response: z.object({ deleted: z.boolean() }),
    idempotent: true,
  },
  /** The newest turn with this `thread`, preferably one without a following turn; null where there is none. */
  findTurn: {
    method: 'GET',
    path: '/turns',
    query: z.strictObject({ thread: z.string().min(1).max(100) }),
    response: z.object({ found: z.object({ conversation_id: id, message_id: id }).nullable() }),
    idempotent: true,
  },
  /** Sets the user's rating of an answer; null removes it. */
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
  /**
   * A deleted id stays deleted: a turn that is delivered late does not create its conversation again (410 `deleted`).
   */
  deleteConversation: {
    method: 'DELETE',
    path: '/conversations/:conversation_id',
    params: inConversation,
    response: z.object({ deleted: z.boolean() }),
    idempotent: true,
  },
} as const satisfies ServiceContract;
