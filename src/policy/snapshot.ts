import type { Config } from '../config/config.ts';
import type { Provider } from '../presets/preset.ts';

/** Who calls. */
export interface ClientKey {
  /** Stable id of the key: what it made belongs to it. */
  readonly id: string;
  readonly name: string;
  readonly strict: boolean;
  /** Globs over model names; absent: all. */
  readonly models?: readonly string[];
}

/** Everything that a decision reads, compiled once per configuration and never changed: running requests keep the one they began with. */
export interface Snapshot {
  readonly revision: number;
  readonly config: Config;
  /** In configuration order. */
  readonly providers: ReadonlyMap<string, Provider>;
  readonly aliases: ReadonlyMap<string, string>;
  /** Patterns in file order. */
  readonly patterns: readonly { readonly glob: string; readonly target: string }[];
  /** Keys by the SHA-256 of their value, base64. */
  readonly keys: ReadonlyMap<string, ClientKey>;
}

/** Splits the configured model names into exact aliases and patterns. */
export function splitModels(models: Config['models']): Pick<Snapshot, 'aliases' | 'patterns'> {
  const entries = Object.entries(models);
  return {
    aliases: new Map(entries.filter(([name]) => !name.includes('*'))),
    patterns: entries.filter(([name]) => name.includes('*')).map(([glob, target]) => ({ glob, target })),
  };
}
