import { Injectable } from '@nestjs/common';
import { clientOf } from '../../resilience/wire/contract-client.js';
import { gitContract } from './git.contract.js';

@Injectable()
export class GitClient extends clientOf(gitContract) {}
