import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { findFfmpeg } from './ffmpeg.ts';

afterEach(() => vi.restoreAllMocks());

it.skipIf(process.platform === 'win32')(
  'a program that is installed while the server runs is found after some seconds, and not looked for at each call',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pailou-ffmpeg-'));
    const program = join(folder, 'ffmpeg');
    try {
      expect(findFfmpeg(folder)).toBeUndefined();
      await writeFile(program, '', { mode: 0o755 });
      expect(findFfmpeg(folder)).toBeUndefined();
      const later = performance.now() + 10_001;
      vi.spyOn(performance, 'now').mockReturnValue(later);
      expect(findFfmpeg(folder)).toBe(program);
      expect(findFfmpeg('')).toBeUndefined();
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
