import { enableCompileCache, flushCompileCache } from 'node:module';
import { isAbsolute, join } from 'node:path';
import type { Env } from './config/find-file.ts';

/**
 * Keeps compiled code in the user's own cache folder (Node's default is a shared temporary folder, where others could put
 * code). Returns what writes it down, which a process that
 * is killed would never do. `NODE_DISABLE_COMPILE_CACHE=1` and `NODE_COMPILE_CACHE` work as in Node.
 */
export function keepCompiled(env: Env, home: string): () => void {
  const named = env['XDG_CACHE_HOME'];
  const caches = named && isAbsolute(named) ? named : join(home, '.cache');
  enableCompileCache(env['NODE_COMPILE_CACHE'] || join(caches, 'pailou', 'code'));
  return () => flushCompileCache();
}
