import type { Config } from '../config/config.ts';
import type { Provider } from '../presets/preset.ts';
import type { Facts } from './models/model-facts.ts';
import type { Rule } from './rules.ts';
import type { ModelTable } from './routes/route.ts';

/** Who calls. */
export interface ClientKey {
  /** Stable id of the key: what it made belongs to it. */
  readonly id: string;
  readonly name: string;
  readonly strict: boolean;
  /** Globs over model names; absent: all. */
  readonly models?: readonly string[];
  /** Where its calls may go. */
  readonly rule?: Rule;
  /** What names stand for when this key asks for them, before what they stand for else. */
  readonly routes?: ModelTable;
}

/** Everything that a decision reads, compiled once per configuration and never changed: running requests keep the one they began with. */
export interface Snapshot extends ModelTable {
  readonly revision: number;
  /** Tells configurations apart that could decide differently; made of no secrets. */
  readonly fingerprint: string;
  readonly config: Config;
  /** In configuration order. */
  readonly providers: ReadonlyMap<string, Provider>;
  /** The name that answers for names that nothing else knows. */
  readonly defaultModel?: string;
  /** What is known of models; absent: what presets and the operator say. */
  readonly facts?: Facts;
  /** Keys by the SHA-256 of their value, base64. */
  readonly keys: ReadonlyMap<string, ClientKey>;
}
