import type { Rule } from '../policy/rules.ts';
import type { Rates } from '../policy/models/price.ts';
import type { ModelSettings } from '../policy/routes/route.ts';
import type { RetryLimits } from '../policy/retry.ts';
import type { RouteTest } from '../policy/routes/route-tests.ts';
import type { ProviderSettings } from '../presets/preset.ts';

/** A client's key, as configured. Its value is hashed when the configuration is compiled and kept nowhere else. */
export interface KeySettings extends Rule {
  readonly name: string;
  readonly value: string;
  /** Refuse what cannot be expressed upstream instead of noting it. */
  readonly strict?: boolean;
  /** Model names or patterns that the key may use; absent: all. */
  readonly models?: readonly string[];
  /** What names stand for when this key asks for them. */
  readonly routes?: Readonly<Record<string, ModelSettings>>;
}

/** A bucket that media are kept in. */
export interface S3Settings {
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly prefix?: string;
  /** `accessKeyId:secretAccessKey[:sessionToken]`. */
  readonly key: string;
}

/** The configuration, resolved: secrets filled in, durations in milliseconds, sizes in bytes, defaults applied. */
export interface Config {
  readonly server: {
    readonly host: string;
    readonly port: number;
    /** Processes that share the work; `auto`: one for each processor. */
    readonly workers: number | 'auto';
    /** The address that clients know this server by, without a slash at the end. */
    readonly publicUrl?: string;
    /** Reverse proxies whose X-Forwarded-For is believed: addresses and ranges. */
    readonly trustedProxies: readonly string[];
    /** Origins that browsers may call from; `*` all. */
    readonly cors: readonly string[];
    /** What keeps clients that wait from giving up; absent: as usual. */
    readonly keepAlive?: {
      /** Milliseconds without a byte after which something is sent. */
      readonly delay?: number;
      /** Also those that asked for no stream, by white space. */
      readonly whole?: boolean;
    };
  };
  readonly keys: readonly KeySettings[];
  /** In file order, which decides between providers that know the same bare id. */
  readonly providers: Readonly<Record<string, ProviderSettings>>;
  /** Aliases, patterns and routes in file order. */
  readonly models: Readonly<Record<string, ModelSettings>>;
  /** The name that answers for names that nothing else knows. */
  readonly defaultModel?: string;
  /** Run by `pailou check --tests`; absent: none. */
  readonly routeTests?: readonly RouteTest[];
  /** How often providers are asked for their lists of models, in milliseconds; absent: never. */
  readonly catalogue?: { readonly syncMs?: number };
  /** What amounts in other currencies are worth; absent: as usual. */
  readonly money?: { readonly rates: Rates };
  readonly egress: { readonly allow: readonly string[] };
  readonly limits: {
    readonly body: number;
    /** A form with files. */
    readonly upload: number;
    readonly depth: number;
    /** Stored responses, conversations and threads: days kept, and bytes all together. */
    readonly storedDays: number;
    readonly storedBytes: number;
    readonly sealDays: number;
    readonly sealBytes: number;
    /** Rows of the table of requests: days kept, and how many; no rows: none are kept. */
    readonly requestDays: number;
    readonly requestRows: number;
    /** A remote file that is fetched to be inlined. */
    readonly fetchBytes: number;
    /** Calls under way at once. */
    readonly calls: number;
    /** Connections of clients. */
    readonly connections: number;
    /** Bytes of bodies that are held for all calls together. */
    readonly bodies: number;
    /** When calls are refused because there is too much to do. `memoryBytes` absent: most of what there is. */
    readonly overload: { readonly shed: boolean; readonly delayMs: number; readonly memoryBytes?: number };
    /** How often calls are tried, all providers together; absent: as usual. */
    readonly retries?: RetryLimits;
    /** Answers that routes keep in memory. */
    readonly cacheBytes: number;
  };
  /** Work that takes long. Times in milliseconds. */
  readonly tasks: {
    readonly keepMs: number;
    readonly deadlineMs: number;
    readonly media: { readonly bytes: number; readonly folder?: string; readonly s3?: S3Settings };
  };
  /** The built-in provider; `auto`: on while the server listens on loopback only. */
  readonly sandbox: boolean | 'auto';
  /** Look for local servers and keys in the environment. */
  readonly discover: boolean;
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent' };
}
