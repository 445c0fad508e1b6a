import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
    pool: 'forks',
    // Many tests wait for servers and clocks, not for the processor.
    maxWorkers: Math.max(4, availableParallelism()),
    execArgv: ['--unhandled-rejections=strict'],
    testTimeout: 20_000,
    // Machines that test are busy: what is awaited is awaited for long, and seldom needs it.
    expect: { poll: { timeout: 10_000 } },
  },
});
