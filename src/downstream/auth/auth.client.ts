import { Injectable } from '@nestjs/common';
import { clientOf } from '../../resilience/wire/contract-client.js';
import { authContract } from './auth.contract.js';

@Injectable()
export class AuthClient extends clientOf(authContract) {}
