import { readFileSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import { fingerprintOf } from './fingerprint.ts';
import type { Loaded } from './load.ts';
import { ConfigError, type Problem } from './problem.ts';

/** What watching stands on; tests pass their own. */
export interface WatchPorts {
  /** Calls whenever something in a folder changes, until closed. */
  readonly watchFolder: (folder: string, onChange: () => void) => { close(): void };
  /** Calls on SIGHUP, until closed. */
  readonly onHangup: (onSignal: () => void) => { close(): void };
  /** Calls once, later. */
  readonly later: (run: () => void, ms: number) => { close(): void };
}

/** What is watched, and who is told. */
export interface WatchOptions {
  /** What runs now. */
  readonly loaded: Loaded;
  /** Loads anew from the same places. */
  readonly load: () => Promise<Loaded>;
  /** Takes the new configuration; throws when it cannot be used, then the old one stays. */
  readonly onChange: (loaded: Loaded) => void | Promise<void>;
  readonly onInvalid: (problems: readonly Problem[]) => void;
}

/** Editors write in several steps: what comes within this time is one change. */
const SETTLE_MS = 150;

function bytesOf(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** What the files hold now; a folder has other files as well, and editors touch without changing. */
const fingerprintNow = (files: readonly string[]): string => fingerprintOf(files.map(bytesOf));

function asProblems(error: unknown): readonly Problem[] {
  if (error instanceof ConfigError) return error.problems;
  const message = error instanceof Error ? error.message : String(error);
  return [{ severity: 'error', code: 'unusable', path: '', what: [message, message] }];
}

/**
 * Watches the folders of the configuration's files (folders: editors and cluster mounts replace files) and SIGHUP. A change
 * is loaded and checked; only a good one is handed on. Returns what stops it.
 */
export function watchConfig(options: WatchOptions, ports: WatchPorts = realPorts): { close(): void } {
  let { loaded } = options;
  let seen = loaded.fingerprint;
  let folders = openFolders();
  let waiting: { close(): void } | undefined;
  let loading = Promise.resolve();
  let isClosed = false;

  function openFolders(): readonly { close(): void }[] {
    return [...new Set(loaded.files.map((file) => dirname(file)))].map((folder) => ports.watchFolder(folder, onFolder));
  }
  function closeFolders(): void {
    for (const folder of folders) folder.close();
  }
  function onFolder(): void {
    waiting?.close();
    waiting = ports.later(() => {
      const now = fingerprintNow(loaded.files);
      if (now === seen) return;
      seen = now;
      reload();
    }, SETTLE_MS);
  }
  function reload(): void {
    loading = loading.then(async () => {
      try {
        const fresh = await options.load();
        if (isClosed) return;
        await options.onChange(fresh);
        loaded = fresh;
        seen = fresh.fingerprint;
        closeFolders();
        folders = openFolders();
      } catch (error) {
        options.onInvalid(asProblems(error));
      }
    });
  }
  const hangup = ports.onHangup(reload);
  // What changed between the first reading and now was seen by nobody.
  if (loaded.files.length > 0) onFolder();

  return {
    close() {
      isClosed = true;
      waiting?.close();
      hangup.close();
      closeFolders();
    },
  };
}

const realPorts: WatchPorts = {
  watchFolder(folder, onChange) {
    try {
      const watcher = watch(folder, { persistent: false }, onChange);
      // A folder that goes away is no reason to end: SIGHUP still works.
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch {
      return { close: () => undefined };
    }
  },
  onHangup(onSignal) {
    process.on('SIGHUP', onSignal);
    return { close: () => process.off('SIGHUP', onSignal) };
  },
  later(run, ms) {
    const timer = setTimeout(run, ms);
    timer.unref();
    return { close: () => clearTimeout(timer) };
  },
};
