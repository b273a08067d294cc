import { Injectable } from '@nestjs/common';
import { clientOf } from '../../resilience/contract-client.js';
import { chromaContract } from './chroma.contract.js';

@Injectable()
export class ChromaClient extends clientOf(chromaContract) {}
