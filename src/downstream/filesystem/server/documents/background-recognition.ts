import { Injectable } from '@nestjs/common';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import type { DocumentInfo } from '../../filesystem.contract.js';
import type { DocumentRow } from './document-row.js';

/** What documents need of the recognition in the background, which replaces these functions when it starts. */
@Injectable()
export class BackgroundRecognition {
  /** A document was stored, and its pictures wait. */
  waits: (key: ProjectKey, row: DocumentRow) => void = () => undefined;
  /** Counts the pages that were read but not stored yet. */
  withProgress: (key: ProjectKey, info: DocumentInfo) => DocumentInfo = (_key, info) => info;
}
