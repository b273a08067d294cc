import { Injectable } from '@nestjs/common';
import { clientOf } from '../../resilience/wire/contract-client.js';
import { filesystemContract } from './filesystem.contract.js';

@Injectable()
export class FilesystemClient extends clientOf(filesystemContract) {}
