import type { ProviderSettings } from '../presets/preset.ts';

/** A client's key, as configured. Its value is hashed when the configuration is compiled and kept nowhere else. */
export interface KeySettings {
  readonly name: string;
  readonly value: string;
  /** Refuse what cannot be expressed upstream instead of noting it. */
  readonly strict?: boolean;
  /** Model names or patterns that the key may use; absent: all. */
  readonly models?: readonly string[];
}

/** The configuration, resolved: secrets filled in, durations in milliseconds, sizes in bytes, defaults applied. */
export interface Config {
  readonly server: {
    readonly host: string;
    readonly port: number;
    /** Nothing reads it yet, so no file sets it. */
    readonly trustedProxies: readonly string[];
    /** Origins that browsers may call from; `*` all. */
    readonly cors: readonly string[];
  };
  readonly keys: readonly KeySettings[];
  /** In file order, which decides between providers that know the same bare id. */
  readonly providers: Readonly<Record<string, ProviderSettings>>;
  /** Aliases and patterns in file order. */
  readonly models: Readonly<Record<string, string>>;
  readonly egress: { readonly allow: readonly string[] };
  readonly limits: {
    readonly body: number;
    readonly depth: number;
    /** Stored responses, conversations and threads: days kept, and bytes all together. */
    readonly storedDays: number;
    readonly storedBytes: number;
    readonly sealDays: number;
    readonly sealBytes: number;
    /** A remote file that is fetched to be inlined. */
    readonly fetchBytes: number;
  };
  /** The built-in provider; `auto`: on while the server listens on loopback only. */
  readonly sandbox: boolean | 'auto';
  /** Look for local servers and keys in the environment. */
  readonly discover: boolean;
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent' };
}
