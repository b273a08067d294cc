import { Injectable } from '@nestjs/common';
import { InjectConfig } from '../../../config/config.module.js';
import type { Config } from '../../../config/config.schema.js';
import { FilesystemClient } from '../../../downstream/filesystem/filesystem.client.js';
import type { UserCall } from '../../call/public-call.js';
import type { ExportedTrashed } from '../format/export-format.js';
import type { ImportArchive } from './import-archive.js';

/** Brings documents from the trash of an exported account into the trash here. */
@Injectable()
export class ImportedTrash {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly filesystem: FilesystemClient,
  ) {}

  /** @returns false where the trash has it already */
  async bring(
    archive: ImportArchive,
    project_id: string,
    { path, version, deleted_at, file, media_type, original_type, tags }: ExportedTrashed,
    call: UserCall,
  ): Promise<boolean> {
    const bytes = await archive.bytes(file, this.config.http.max_body_bytes);
    const content =
      original_type === undefined
        ? { media_type, text: bytes.toString() }
        : { media_type: original_type, content_base64: bytes.toString('base64') };
    const body = { version, deleted_at, ...content, ...(tags !== undefined && { tags }) };
    return (await this.filesystem.bringTrashed({ params: { project_id }, query: { path }, body }, call)).stored;
  }
}
