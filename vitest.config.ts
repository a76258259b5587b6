import process from 'node:process';
import { defineConfig } from 'vitest/config';
import { testLanes } from './test/support/lanes.ts';

const { unit, programs } = testLanes();

export default defineConfig({
  test: {
    // Unit tests share a process: that takes a third off their CPU time.
    projects: [
      { extends: true, test: { name: 'unit', isolate: false, include: [...unit] } },
      { extends: true, test: { name: 'programs', include: [...programs] } },
    ],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Two cores are what CI has.
    maxWorkers: 2,
    reporters: process.env.CI ? ['default', ['json', { outputFile: 'coverage/results.json' }]] : ['default'],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary'],
      clean: false,
    },
  },
});
