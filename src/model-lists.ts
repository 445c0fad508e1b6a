import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject, parseObject } from './ir/index.ts';
import type { Said } from './policy/models/model-facts.ts';
import type { Provider } from './presets/preset.ts';

/** A provider's own list of models, as it gave it last. */
export interface KeptList {
  /** Tells the place that it came from: under another address or region it says nothing. */
  readonly place: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly models: ReadonlyMap<string, Said>;
}

/** Lists by the names of providers. */
export type KeptLists = ReadonlyMap<string, KeptList>;

/** The file of a data folder. */
export const LISTS_FILE = 'model-lists.json';
/** Longer files are not ours. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Where a provider is, without what it is paid with. */
export function placeOf({ settings: { preset, baseUrl, region, settings } }: Provider): string {
  return createHash('sha256')
    .update(JSON.stringify([preset, baseUrl, region, settings]))
    .digest('base64url')
    .slice(0, 16);
}

/** The list that a provider gave last, where it is still in the same place. */
export function listOf(lists: KeptLists, provider: Provider): KeptList | undefined {
  const kept = lists.get(provider.name);
  return kept?.place === placeOf(provider) ? kept : undefined;
}

function readList(value: unknown): KeptList | undefined {
  if (!isObject(value) || !isObject(value['models'])) return undefined;
  const { place, at, models } = value;
  if (typeof place !== 'string' || typeof at !== 'number') return undefined;
  return { place, at, models: new Map(Object.entries(models).filter(([, said]) => isObject(said)) as [string, Said][]) };
}

function readLists(text: string): KeptLists {
  const document = parseObject(text);
  const entries = isObject(document?.['providers']) ? Object.entries(document['providers']) : [];
  return new Map(
    entries.flatMap(([name, value]) => {
      const list = readList(value);
      return list ? [[name, list] as const] : [];
    }),
  );
}

/** The lists of a data folder: a file that is replaced whole, so that whoever reads it finds the one before or the one after. */
export interface ModelListFile {
  /** What is kept; nothing where there is no such file, or one that is not ours. */
  read(): KeptLists;
  /** Tells one version of the file from another; empty: there is none. */
  stamp(): string;
  /** Rejects where the folder cannot be written. */
  write(lists: KeptLists): Promise<void>;
}

/** The lists that a data folder holds. */
export function openModelLists(folder: string): ModelListFile {
  const path = join(folder, LISTS_FILE);
  const stamp = (): string => {
    const found = statSync(path, { throwIfNoEntry: false });
    return found?.isFile() === true && found.size <= MAX_BYTES ? `${found.mtimeMs}-${found.size}-${found.ino}` : '';
  };
  return {
    stamp,
    read() {
      try {
        return stamp() === '' ? new Map() : readLists(readFileSync(path, 'utf8'));
      } catch {
        return new Map();
      }
    },
    async write(lists) {
      const providers = Object.fromEntries(
        [...lists].map(([name, { place, at, models }]) => [name, { place, at, models: Object.fromEntries(models) }]),
      );
      const fresh = `${path}.${process.pid}.new`;
      await mkdir(folder, { recursive: true, mode: 0o700 });
      try {
        await writeFile(fresh, `${JSON.stringify({ version: 1, providers })}\n`, { mode: 0o600, flush: true });
        await rename(fresh, path);
      } finally {
        await rm(fresh, { force: true });
      }
    },
  };
}
