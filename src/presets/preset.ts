import type { BreakerRule } from '../policy/breaker.ts';
import type { CooldownRule } from '../policy/cooldown.ts';
import type { Said } from '../policy/models/model-facts.ts';
import type { Minute, MinuteLimits } from '../policy/minute.ts';
import type { AbilitySettings } from '../policy/needs.ts';
import type { QueueRule } from '../policy/queue.ts';
import type { RetryRule } from '../policy/retry.ts';
import type { Ability, FactChanges, JsonObject, Notes, ProtocolId, TargetFacts } from '../ir/index.ts';

/** How a provider wants to be paid for: what the operator gives (a key, or the parts of one), never logged. */
export interface Credential {
  /** The key, or the JSON of a service account, or `accessKeyId:secretAccessKey[:sessionToken]` for AWS. */
  readonly key: string;
}

/** What a signing function sees of a request. */
export interface SignableRequest {
  readonly method: string;
  readonly origin: string;
  /** Path with query, as it goes on the wire. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: readonly Buffer[];
}

/** What signing may use of the world. */
export interface SigningPorts {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A form post to a token endpoint; only to the hosts that the preset names. */
  readonly post: (url: string, form: Readonly<Record<string, string>>) => Promise<{ readonly status: number; readonly body: string }>;
}

/** `fixed`: the same headers on every request, made once. `signed`: made for each request. `by-key`: one of these, told by the form of the key. */
export type Auth =
  | { readonly kind: 'none' }
  | { readonly kind: 'by-key'; pick(key: string): Auth }
  | { readonly kind: 'fixed'; headers(key: string): Readonly<Record<string, string>> }
  | {
      readonly kind: 'signed';
      sign(
        request: SignableRequest,
        credential: Credential,
        settings: Readonly<Record<string, string>>,
        ports: SigningPorts,
      ): Promise<Readonly<Record<string, string>>>;
    };

/**
 * One difference of a wire from its protocol, as a patch of the request body. Applied on both lanes; on the raw lane only
 * when one of `fields` occurs in the bytes, so that a body that the provider takes as it is passes untouched.
 */
export interface Quirk {
  /** Top-level fields that it looks at. */
  readonly fields: readonly string[];
  /** Returns a new body, or the same one where nothing is to change. Losses are noted. */
  apply(body: JsonObject, notes: Notes, model: string): JsonObject;
}

/** A protocol as one kind of provider speaks it. */
export interface Wire {
  /** Path below the origin that the codec's own path is added to: `/v1`, `/api/paas/v4`, ``. `{name}` stands for a setting. */
  readonly base: string;
  /** Another scheme and host than the preset's, where this protocol has its own. */
  readonly origin?: string;
  /** Which models are served in this protocol, as globs; one that begins with `!` takes out. Absent: all. */
  readonly models?: readonly string[];
  /** Not every such server has it: used only where the operator names it in `protocols` or `baseUrl`. */
  readonly optional?: boolean;
  /** Another path than the codec's, below `base`; gets the model id unencoded. */
  readonly path?: (model: string, stream: boolean, settings: Readonly<Record<string, string>>) => string;
  readonly facts?: FactChanges;
  readonly quirks?: readonly Quirk[];
  readonly auth?: Auth;
  readonly headers?: Readonly<Record<string, string>>;
  /** Extra request headers of the client that this wire understands (`anthropic-beta`). Lower case; `*` at the end matches the rest. */
  readonly passHeaders?: readonly string[];
  /** How a stream is framed; default SSE. */
  readonly framing?: 'aws-event-stream';
  /** Last change of the body before it is sent, model and stream known (Vertex `anthropic_version`). Forces the parsed lane. */
  readonly finish?: (body: JsonObject, model: string, stream: boolean) => JsonObject;
  /** The model's place: in the body's `model` (default), or in the path only (then it is taken out of the body). */
  readonly modelIn?: 'body' | 'path';
  /** The provider's own token counter, below `base` (`/messages/count_tokens`). */
  readonly countTokens?: (model: string) => string;
  /** Its counter takes a whole call wrapped in `generateContentRequest` (Google's public API). */
  readonly countWraps?: boolean;
  /** What the support claim rests on: an exchange recorded from the provider, or its documentation. */
  readonly mark: 'recorded' | 'documented';
}

/** An ability besides chat, as one kind of provider has it. */
export interface MediaWire {
  /** The codec of `src/media` that speaks it: `openai`, `cohere`. */
  readonly codec: string;
  /** Path below the origin that the codec's own path is added to. `{name}` stands for a setting. */
  readonly base: string;
  readonly origin?: string;
  /** Models that have the ability, as globs; one that begins with `!` takes out. Absent: all. */
  readonly models?: readonly string[];
  readonly auth?: Auth;
  readonly headers?: Readonly<Record<string, string>>;
  /** Speech: voices by the names that other vendors' clients use; `{model}` stands for the model; empty: the model names it. */
  readonly voices?: Readonly<Record<string, string>>;
  /** Speech: the voice where none was asked for, in the provider's own words. */
  readonly defaultVoice?: string;
  /** What the provider takes in one request; absent: the codec's own. */
  readonly batch?: number;
  /** Differences from what the codec usually sends, each documented by the codec that reads it. */
  readonly options?: Readonly<Record<string, string | number | boolean>>;
  readonly mark: 'recorded' | 'documented';
}

/** What is known of some models of a preset. */
export interface ModelRule {
  /** Glob over the model id: `gpt-5*`. */
  readonly match: string;
  readonly facts: FactChanges;
  /** Only on this protocol. */
  readonly on?: ProtocolId;
}

/** A value that the address needs besides the key: region, account, resource. */
export interface Setting {
  readonly name: string;
  readonly env?: readonly string[];
  readonly default?: string;
}

/** What we know of a kind of provider. Data; a vendor's name appears nowhere else. */
export interface Preset {
  readonly id: string;
  readonly label: string;
  /** The vendor's pages that were read. */
  readonly docs: readonly string[];
  /** Variables that usually hold the key, the usual one first. */
  readonly env: readonly string[];
  /** Variables whose values, joined by `:`, make the key where none of `env` is set; all but the first two may be missing. */
  readonly envPair?: readonly string[];
  /** Variables that say that credentials are found without a key (Google's application default credentials). */
  readonly envElsewhere?: readonly string[];
  /** The region that a key belongs to, by the variable that held it, where there is one for each region. */
  readonly envRegions?: Readonly<Record<string, string>>;
  /** A call without a key is possible: a server of the operator's own, or credentials found by other means. */
  readonly keyOptional?: boolean;
  readonly settings?: readonly Setting[];
  /** Scheme and host; `{name}` stands for a setting. Empty: the operator must give `baseUrl`. */
  readonly origin: string;
  /** Other origins by the operator's `region`; where `region` is a setting, those that differ from `origin`'s form. */
  readonly regions?: Readonly<Record<string, string>>;
  readonly auth: Auth;
  /** Protocols in the preset's order of preference (that is the order of the members). */
  readonly speaks: { readonly [P in ProtocolId]?: Wire };
  /** Who opens the seals made here; presets of one maker share it (`anthropic`). Default: the preset's id. */
  readonly sealMaker?: string;
  /** Globs of bare model ids that this provider is known to have. */
  readonly knows: readonly string[];
  readonly rules?: readonly ModelRule[];
  /** Where the provider lists its models, from the origin, and in whose shape; absent: nowhere. */
  readonly models?: { readonly path: string; readonly shape: 'openai' | 'anthropic' | 'gemini' | 'ollama' | 'cohere' };
  /** Abilities besides chat; several wires of one ability are told apart by their models, the first that fits counts. */
  readonly media?: { readonly [A in Ability]?: MediaWire | readonly MediaWire[] };
  /** It reads OpenRouter's `provider` object itself: it is sent on. */
  readonly readsPreferences?: boolean;
  /** A server on the user's own machine: its usual port, for discovery; needs no key. */
  readonly local?: { readonly port: number; readonly probe: string };
}

/** Declares a preset; the type is checked, nothing else happens. */
export const definePreset = (preset: Preset): Preset => preset;

/** A provider as the operator configured it. Times in milliseconds. */
export interface ProviderSettings extends MinuteLimits {
  readonly preset: string;
  readonly baseUrl?: string | Readonly<Record<string, string>>;
  readonly key?: string;
  /** Several keys instead of one, with their shares of the traffic. */
  readonly keys?: readonly KeyShare[];
  readonly region?: string;
  /** Where it handles data, in words of the operator's; absent: in its `region`. */
  readonly regions?: readonly string[];
  /** Other values that the preset's address needs: `resource`, `project`, `account`, `apiVersion`. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly protocols?: readonly ProtocolId[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly expose?: readonly string[];
  /** `embeddings`: its embedding models rerank too, by how alike the vectors are. */
  readonly rerank?: 'embeddings';
  /** The model that speaks for its chat models where a client asks chat for audio: `openai/gpt-4o-mini-tts`. */
  readonly speech?: string;
  /** Voices by the names that clients use, over the preset's table. */
  readonly voices?: Readonly<Record<string, string>>;
  readonly timeouts?: Partial<Timeouts>;
  /** Calls under way at once; others wait. Absent: as many as come. */
  readonly concurrency?: number;
  /** Who may wait for room at it, its keys and its targets of routes; absent: as usual. `off`: nobody. */
  readonly queue?: QueueSettings | 'off';
  /** How often one call is sent again to it. */
  readonly retries?: number | RetrySettings;
  /** `off`: its failures are held against nothing, and nothing is sent again unless `retries` says so. */
  readonly health?: 'on' | 'off' | HealthCheckSettings;
  /** When its targets and keys are left out after failures, and for how long; absent: as usual. `off`: never. */
  readonly breaker?: BreakerSettings | 'off';
  /** How long its keys are left out after they were refused or must wait; absent: as usual. `off`: never. */
  readonly setAside?: SetAsideSettings | 'off';
  readonly images?: ImageSettings;
  /** What its models can do, by patterns over their ids, over what the preset knows. */
  readonly abilities?: Readonly<Record<string, AbilitySettings>>;
  /** What is to be known of its models, by patterns over their ids: over `abilities` and all that is known else. */
  readonly models?: Readonly<Record<string, Said>>;
  /** `deny`: it keeps nothing of what it is sent, and callers who insist on that may go there. */
  readonly dataCollection?: 'allow' | 'deny';
}

/** Who may wait for room. Times in milliseconds. */
export interface QueueSettings {
  readonly calls?: number;
  readonly perCaller?: number;
  /** The longest that one waits. */
  readonly wait?: number;
}

/** When failures in a row leave a target out, and for how long. Times in milliseconds. */
export interface BreakerSettings {
  readonly failures?: number;
  readonly wait?: number;
  readonly longest?: number;
}

/** How long refused keys, and those that must wait, are left out. Times in milliseconds. */
export interface SetAsideSettings {
  readonly wait?: number;
  readonly longest?: number;
  /** The longest that its `Retry-After` is believed. */
  readonly retryAfter?: number;
}

/** How one call is sent again to the same target. Times in milliseconds. */
export interface RetrySettings {
  readonly times?: number;
  readonly wait?: number;
  readonly longest?: number;
  /** The longest `Retry-After` that the call itself waits for. */
  readonly retryAfter?: number;
  /** What fails later than that is not sent again. */
  readonly within?: number;
}

/** How a provider is asked whether it is well, besides by calls. Times in milliseconds. */
export interface HealthCheckSettings {
  /** How often. */
  readonly check: number;
  /** The longest that an answer may take; default 5 s. */
  readonly timeout?: number;
  /** What is asked, from the origin; default: its list of models. */
  readonly path?: string;
  /** Failures in a row after which it is out; default 3. */
  readonly failures?: number;
}

/** The same, ready to be done. */
export interface HealthCheck {
  readonly everyMs: number;
  readonly timeoutMs: number;
  readonly path: string;
  /** The operator named the path: only a success says that all is well. */
  readonly isOwnPath: boolean;
  readonly failures: number;
}

/** One of a provider's keys. */
export interface KeyShare extends MinuteLimits {
  readonly value: string;
  /** In proportion to the others; default 1. */
  readonly weight?: number;
  /** Calls with it under way at once. */
  readonly concurrency?: number;
}

/** How a provider's images are handed to clients. */
export interface ImageSettings {
  /** `b64_json` begins with `data:image/png;base64,`, for clients that were written for such a server. */
  readonly dataUri?: boolean;
  /** Images made in chat, for clients of OpenAI's chat that show only text: a link (default) or a data URI in the text. */
  readonly chat?: 'link' | 'inline';
}

/** How long each wait may last, in milliseconds. */
export interface Timeouts {
  readonly connect: number;
  readonly headers: number;
  readonly firstToken: number;
  readonly idle: number;
  readonly total: number;
}

/** One protocol of one configured provider, ready to be called. */
export interface ProviderWire {
  readonly protocol: ProtocolId;
  readonly wire: Wire;
  readonly origin: string;
  /** `base` of the wire under the operator's address, no slash at the end. */
  readonly basePath: string;
  /** Headers of every request: the wire's, the operator's, and the credential's where they are fixed. Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Present when each request must be signed. */
  readonly sign?: (request: SignableRequest, ports: SigningPorts) => Promise<Readonly<Record<string, string>>>;
  /** Facts of a model on this wire: defaults, codec's, wire's, matching rules in order. Remembered per model. */
  readonly factsOf: (model: string) => TargetFacts;
  /** Whether a model is served in this protocol (a cloud may have Claude in one and the rest in another). */
  readonly serves: (model: string) => boolean;
}

/** One ability of one configured provider, ready to be called. */
export interface ProviderMedia {
  readonly ability: Ability;
  readonly wire: MediaWire;
  readonly origin: string;
  readonly basePath: string;
  /** Lower-case names; with the credential where it is fixed. */
  readonly headers: Readonly<Record<string, string>>;
  readonly sign?: ProviderWire['sign'];
  readonly serves: (model: string) => boolean;
  /** The ability is made of another one of the same provider. */
  readonly by?: Ability;
}

/** A configured provider, compiled once per configuration. */
export interface Provider {
  /** The operator's name for it: the `{platform}` of a path. */
  readonly name: string;
  readonly preset: Preset;
  readonly maker: string;
  /** In order of preference. */
  readonly wires: ReadonlyMap<ProtocolId, ProviderWire>;
  /** Abilities besides chat, in the preset's order. */
  readonly media: readonly ProviderMedia[];
  readonly settings: ProviderSettings;
  readonly values: Readonly<Record<string, string>>;
  /** Tells its credential from others without telling what it is. */
  readonly credential: string;
  /** Where it has several: the same provider with each of them. The provider itself has the first. */
  readonly credentials?: readonly { readonly id: string; readonly weight: number; readonly provider: Provider }[];
  /** Calls that may be under way at once with the credential that it goes with. */
  readonly keyConcurrency?: number;
  /** What it and the credential that it goes with take in a minute; absent: as much as comes. */
  readonly minutes?: readonly Minute[];
  /** Who may wait for room at it, where the operator says so. */
  readonly queue?: QueueRule;
  readonly timeouts: Timeouts;
  /** Where the provider lists its models, from the first wire's origin: the preset's path under the operator's address. */
  readonly modelsPath?: string;
  /** How it is asked whether it is well, where the operator wants that. */
  readonly check?: HealthCheck;
  /** How its breakers act, where the operator says so. */
  readonly breaker?: BreakerRule | 'off';
  /** How long its credentials are set aside, where the operator says so. */
  readonly setAside?: CooldownRule | 'off';
  /** How calls are sent again to it, where the operator says so. */
  readonly retry?: RetryRule;
  /** Whether a model id passes `expose`. */
  readonly exposes: (model: string) => boolean;
  /** Whether the preset knows a bare id. */
  readonly knows: (model: string) => boolean;
}
