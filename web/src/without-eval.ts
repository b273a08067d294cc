import { config } from 'zod/v4/core';

// The AI SDK's schemas would try whether `new Function` is allowed. The Content-Security-Policy refuses it, and reports that.
config({ jitless: true });
