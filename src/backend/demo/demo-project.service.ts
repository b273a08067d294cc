import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { DEMO_ACCOUNT } from '../../config/demo-account.js';
import type { User } from '../../downstream/auth/auth.contract.js';
import { FilesystemClient } from '../../downstream/filesystem/filesystem.client.js';
import { Degradation } from '../call/degradation.js';
import { DocumentsService } from '../documents/documents.service.js';
import type { PublicCall, UserCall } from '../call/public-call.js';

const ROOT = join(import.meta.dirname, '../../..');
const PROJECT = { project_id: 'caudex-docs', name: 'Caudex docs' };

/** Creates a project with this repository's own documents for the demo account when it first signs in. */
@Injectable()
export class DemoProject {
  private made: Promise<void> | undefined;

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly filesystem: FilesystemClient,
    private readonly documents: DocumentsService,
    private readonly log: PinoLogger,
  ) {}

  async ensure(user: User, call: PublicCall): Promise<void> {
    if (!this.config.auth.demo_account || user.email !== DEMO_ACCOUNT.email) return;
    this.made ??= this.make({ ...call, user, userId: user.user_id, token: '', degradation: new Degradation() }).catch(
      (error: unknown) => {
        this.made = undefined;
        this.log.warn({ err: error }, 'The demo project could not be made; the next sign-in tries again');
      },
    );
    await this.made;
  }

  private async make(call: UserCall): Promise<void> {
    const { total } = await this.filesystem.listProjects({ query: { limit: 1 } }, call);
    if (total > 0) return;
    await this.filesystem.createProject({ body: PROJECT }, call);
    for (const path of await ownDocuments()) {
      const text = await readFile(join(ROOT, path), 'utf8');
      await this.documents.put(PROJECT.project_id, path, { media_type: 'text/markdown', text }, undefined, call);
    }
  }
}

async function ownDocuments(): Promise<string[]> {
  const docs = await readdir(join(ROOT, 'docs')).catch(() => []);
  return ['README.md', ...docs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];
}
