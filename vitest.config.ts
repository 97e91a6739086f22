import { defineConfig } from 'vitest/config';

/** `unit` needs nothing but Node; `integration` gets one real PostgreSQL for its whole run. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          // Against a hang, not a bound on speed: machines here are shared.
          testTimeout: 30_000,
          hookTimeout: 30_000,
          include: [
            '{shared,functions,knative,migrations}/**/*.test.ts',
            'tests/{architecture,decisions,policy,support}/**/*.test.ts',
          ],
        },
      },
      {
        test: {
          name: 'integration',
          include: ['tests/{contract,integration,conformance,faults,e2e}/**/*.test.ts'],
          globalSetup: ['tests/support/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
