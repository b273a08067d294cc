import { Injectable } from '@nestjs/common';
import { clientOf } from '../../resilience/wire/contract-client.js';
import { chromaContract } from './chroma.contract.js';

@Injectable()
export class ChromaClient extends clientOf(chromaContract) {}
