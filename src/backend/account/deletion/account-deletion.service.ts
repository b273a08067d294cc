import { Injectable, type OnModuleInit } from '@nestjs/common';
import { z } from 'zod';
import { AuthClient } from '../../../downstream/auth/auth.client.js';
import { BillingClient } from '../../../downstream/billing/billing.client.js';
import { FilesystemClient } from '../../../downstream/filesystem/filesystem.client.js';
import { Problem } from '../../../http/problem.js';
import { Outbox } from '../../../outbox/outbox.service.js';
import type { OutboxEntry } from '../../../outbox/outbox.store.js';
import type { CallContext } from '../../../resilience/policy/call-context.js';
import { Deletions } from '../../call/deletions.js';
import type { OwnerCall, UserCall } from '../../call/public-call.js';
import { ConversationsService } from '../../conversations/conversations.service.js';
import { ProjectsService } from '../../projects/projects.service.js';
import { critical, SessionService } from '../../session/session.service.js';

const ACCOUNT = 'account.close';
const CREDITS = 'account.credits';
const DATA = 'account.data';
/** Entries that delete: they are delivered, while all others of the user are discarded. */
const DELETING: ReadonlySet<string> = new Set([ACCOUNT, CREDITS, DATA, 'index.drop', 'git.drop']);
/** How long the answer waits for each server. A deletion that takes longer goes on after the answer. */
const WAIT_MS = 5000;
/** A delivery that reaches this distance to its deadline ends, and a further entry goes on with the rest. */
const MARGIN_MS = 20_000;
const PAGE = 100;

const payloadSchema = z.object({ ended_at: z.string() });

/** The body of a request that deletes an account. */
export interface DeletionRequest {
  confirm: string;
  password?: string | undefined;
}

/**
 * Deletes an account with all its data. The intent is written to the outbox once the owner is confirmed, so that an
 * outage or a kill delays the deletion and does not lose it. What the user made after `ended_at` stays: at an external
 * provider the same user may sign in again.
 */
@Injectable()
export class AccountDeletion implements OnModuleInit {
  constructor(
    private readonly auth: AuthClient,
    private readonly billing: BillingClient,
    private readonly filesystem: FilesystemClient,
    private readonly outbox: Outbox,
    private readonly sessions: SessionService,
    private readonly deletions: Deletions,
    private readonly projects: ProjectsService,
    private readonly conversations: ConversationsService,
  ) {}

  onModuleInit(): void {
    this.outbox.register({
      topic: ACCOUNT,
      service: 'auth',
      deliver: async ({ payload }, call) => {
        await this.auth.closeAccount({ query: payloadSchema.parse(payload) }, call);
      },
    });
    this.outbox.register({
      topic: CREDITS,
      service: 'billing',
      deliver: async ({ payload }, call) => {
        await this.billing.closeAccount({ query: { closed_at: payloadSchema.parse(payload).ended_at } }, call);
      },
    });
    this.outbox.register({
      topic: DATA,
      service: 'filesystem',
      deliver: (entry, call) => this.deleteData(entry, call),
    });
  }

  /** @throws Problem 422 `confirmation_mismatch`; 401, 403, 429 and 503 as the auth server says */
  async delete({ confirm, password }: DeletionRequest, call: UserCall): Promise<void> {
    const { userId, user, token, address } = call;
    if (plain(confirm) !== plain(user.email)) {
      const detail = `confirm: ${JSON.stringify(confirm)} is not the address of your account; send the address that you sign in with`;
      throw new Problem({ status: 422, code: 'confirmation_mismatch', detail });
    }
    await critical(this.auth.confirmOwner({ body: { token, password, address } }, call));
    const payload = { ended_at: new Date().toISOString() };
    const held = await this.outbox.hold(
      [ACCOUNT, CREDITS, DATA].map((topic) => ({ topic, key: userId, userId, projectId: null, payload })),
    );
    const deliveries = held.map((entry) => this.outbox.delivery(entry, WAIT_MS));
    await this.outbox.release(held);
    await this.outbox.discardAll(userId, DELETING);
    await this.sessions.forgetUser(userId);
    await this.deletions.deleted({ kind: 'account', userId });
    await Promise.all(deliveries);
  }

  /** Deletes projects and conversations one by one, each with everything that other servers have of it. */
  private async deleteData(entry: OutboxEntry, context: CallContext): Promise<void> {
    const { userId } = entry;
    const { ended_at } = payloadSchema.parse(entry.payload);
    const call: OwnerCall = { ...context, userId, idempotencyKey: undefined };
    const inTime = () => performance.now() < (context.deadlineMs ?? Infinity) - MARGIN_MS;
    const isOld = ({ created_at }: { created_at: string }) => created_at <= ended_at;
    const done =
      (await emptied(
        inTime,
        async (query) => {
          const { projects } = await this.filesystem.listProjects({ query }, call);
          return { items: projects, old: projects.filter(isOld).map(({ project_id }) => project_id) };
        },
        (id) => this.projects.delete(id, call),
      )) &&
      (await emptied(
        inTime,
        async (query) => {
          const { conversations } = await this.filesystem.listConversations({ query }, call);
          return {
            items: conversations,
            old: conversations.filter(isOld).map(({ conversation_id }) => conversation_id),
          };
        },
        (id) => this.conversations.delete(id, call),
      ));
    if (!done) await this.outbox.send([{ topic: DATA, key: userId, userId, projectId: null, payload: { ended_at } }]);
  }
}

interface Found {
  items: readonly unknown[];
  /** The ids of those to delete. */
  old: readonly string[];
}

/** Deletes page after page. @returns false where the time did not suffice */
async function emptied(
  inTime: () => boolean,
  list: (page: { limit: number; offset: number }) => Promise<Found>,
  remove: (id: string) => Promise<void>,
): Promise<boolean> {
  for (let kept = 0; ;) {
    const { items, old } = await list({ limit: PAGE, offset: kept });
    if (items.length === 0) return true;
    for (const id of old) {
      if (!inTime()) return false;
      await remove(id).catch(unlessGone);
    }
    kept += items.length - old.length;
  }
}

/** It was deleted meanwhile. */
function unlessGone(error: unknown): void {
  if (!(error instanceof Problem && error.problem.status === 404)) throw error;
}

const plain = (email: string) => email.trim().normalize('NFC').toLowerCase();
