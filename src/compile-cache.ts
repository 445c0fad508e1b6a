import { enableCompileCache, flushCompileCache } from 'node:module';
import { accessSync, constants } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { Env } from './config/find-file.ts';

/** A clone keeps what was made of its sources beside its packages; an installed package is not ours to write to. */
function cacheFolder(env: Env, home: string): string {
  const modules = join(import.meta.dirname, '..', 'node_modules');
  try {
    if (!import.meta.filename.endsWith('.ts')) throw new Error('installed');
    accessSync(modules, constants.W_OK);
    return join(modules, '.cache', 'pailou');
  } catch {
    const named = env['XDG_CACHE_HOME'];
    return join(named && isAbsolute(named) ? named : join(home, '.cache'), 'pailou', 'code');
  }
}

/**
 * Keeps compiled code in the clone's or the user's own cache folder (Node's default is a shared temporary folder, where others
 * could put code). Returns what writes it down, which a process that
 * is killed would never do, and the folder: a process that finds it in `NODE_COMPILE_CACHE` needs not even what strips types. `NODE_DISABLE_COMPILE_CACHE=1` and `NODE_COMPILE_CACHE` work as in Node.
 */
export function keepCompiled(env: Env, home: string): { readonly folder: string; readonly flush: () => void } {
  const folder = env['NODE_COMPILE_CACHE'] || cacheFolder(env, home);
  enableCompileCache(folder);
  return { folder, flush: () => flushCompileCache() };
}
