import { availableParallelism } from 'node:os';

export default {
  testEnvironment: 'node',
  // Most of what the tests of whole systems do is waiting.
  maxWorkers: Math.max(3, availableParallelism() - 1),
  roots: ['<rootDir>/src', '<rootDir>/test'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2024',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  setupFiles: ['<rootDir>/test/setup.ts'],
  // A machine that is busy with other tests may take several times as long as a quiet one.
  testTimeout: 60_000,
  reporters: ['default', ...(process.env.CI === 'true' ? ['<rootDir>/test/summary.reporter.mjs'] : [])],
};
