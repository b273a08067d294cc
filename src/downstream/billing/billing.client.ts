import { Injectable } from '@nestjs/common';
import { clientOf } from '../../resilience/wire/contract-client.js';
import { billingContract } from './billing.contract.js';

@Injectable()
export class BillingClient extends clientOf(billingContract) {}
