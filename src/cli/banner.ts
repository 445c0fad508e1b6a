import { relative } from 'node:path';
import { isLoopback } from '../config/resolve.ts';
import type { Found } from '../config/discover.ts';
import type { Loaded } from '../config/load.ts';
import type { LocalKey } from '../config/local-key.ts';
import { presets } from '../presets/index.ts';
import type { Config } from '../config/config.ts';
import { twoColumns } from './help.ts';
import type { Messages } from './messages.ts';

/** What runs. */
export interface BannerFacts {
  readonly version: string;
  readonly port: number;
  /** In force now: what was found and a key that was made included. */
  readonly config: Config;
  readonly loaded: Loaded;
  /** Providers that nobody configured. */
  readonly found: readonly Found[];
  readonly key?: LocalKey;
  readonly data: string;
  readonly cwd: string;
  /** Somebody looks on: only then is the key itself shown. */
  readonly isTerminal: boolean;
}

/** Base URLs, by the name of the API that clients ask for. */
function baseUrls(url: string): Readonly<Record<'OpenAI' | 'Anthropic' | 'Gemini', string>> {
  return { OpenAI: `${url}/v1`, Anthropic: url, Gemini: url };
}

/** The address that works on this machine. */
function localUrl(host: string, port: number): string {
  const everywhere = host === '0.0.0.0' || host === '::' || host === '';
  const name = everywhere ? '127.0.0.1' : host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}

/** Text as one word of a shell. */
const shellWord = (text: string): string => (/^[\w./~:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`);

const hasSandbox = (config: Config): boolean =>
  'sandbox' in config.providers || (config.sandbox === 'auto' ? isLoopback(config.server.host) : config.sandbox);

/** How the shell gets at a key: from the file that was made, or from where the first configured one comes. */
function keyExpression({ key, loaded }: BannerFacts): { readonly word: string; readonly ask: boolean } {
  if (key) return { word: `$(cat ${shellWord(key.path)})`, ask: false };
  const from = loaded.sources.get('keys[0].value')?.from;
  const [kind, name = ''] = from?.length === 1 ? (from[0] ?? '').split(/ (.*)/s) : [];
  if (kind === 'env') return { word: `$${name}`, ask: false };
  const file = loaded.files.find((path) => path === name || path.endsWith(`/${name}`));
  if (kind === 'file' && file !== undefined) return { word: `$(cat ${shellWord(file)})`, ask: false };
  return { word: '$PAILOU_KEY', ask: true };
}

/** A model that is likely to answer: the sandbox's, the first alias, or the first that a provider is known for. */
function modelToTry(config: Config): string | undefined {
  if (hasSandbox(config)) return 'sandbox/chat';
  const alias = Object.keys(config.models).find((name) => !name.includes('*'));
  if (alias !== undefined) return alias;
  for (const [name, { preset }] of Object.entries(config.providers)) {
    const known = presets.get(preset)?.knows.find((glob) => !glob.includes('*'));
    if (known !== undefined) return `${name}/${known}`;
  }
  return undefined;
}

/** A command that works as pasted. */
function curl(url: string, facts: BannerFacts, messages: Messages): string {
  const header = `-H "Authorization: Bearer ${keyExpression(facts).word}"`;
  const model = modelToTry(facts.config);
  if (model === undefined) return `  curl ${url}/v1/models ${header}`;
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: messages.bannerHello }] });
  return [
    `  curl ${url}/v1/chat/completions \\`,
    `    ${header} \\`,
    "    -H 'Content-Type: application/json' \\",
    `    -d '${body.replaceAll("'", String.raw`'\''`)}'`,
  ].join('\n');
}

function providersLine({ config, found }: BannerFacts, messages: Messages): string {
  const configured = Object.keys(config.providers).filter(
    (name) => name !== 'sandbox' && !found.some((one) => nameIn(one, config) === name),
  );
  const all = [
    ...configured,
    ...found.map((one) => `${nameIn(one, config)} (${one.from.join(', ')})`),
    ...(hasSandbox(config) ? [messages.bannerSandbox] : []),
  ];
  return all.length > 0 ? all.join(' · ') : messages.bannerNoProviders;
}

/** The name that a found provider got: its own, unless another had that. */
const nameIn = ({ name, settings }: Found, config: Config): string =>
  config.providers[name] === settings || !Object.hasOwn(config.providers, `${name}-local`) ? name : `${name}-local`;

function keyLine(facts: BannerFacts, messages: Messages): string {
  const { key, isTerminal, config } = facts;
  if (!key) return messages.bannerKeysConfigured(config.keys.map(({ name }) => name).join(', '));
  return isTerminal ? `${key.value}  (${key.path})` : messages.bannerKeyIn(key.path);
}

function configLine({ loaded, cwd }: BannerFacts, messages: Messages): string {
  if (loaded.file === undefined) return messages.bannerNoConfig;
  const below = relative(cwd, loaded.file);
  return below.startsWith('..') ? loaded.file : below;
}

/** How many share the work, where there is more than one. */
function workersLine({ config }: BannerFacts, messages: Messages): readonly (readonly [string, string])[] {
  const { workers } = config.server;
  return workers === 1 ? [] : [[messages.bannerWorkers, workers === 'auto' ? messages.bannerWorkersAuto : `${workers}`]];
}

/** What is said when the server listens: where, with which key, what is behind it, and a command to try. */
export function banner(facts: BannerFacts, messages: Messages): string {
  const { host } = facts.config.server;
  const url = localUrl(host, facts.port);
  const rows: (readonly [string, string])[] = [
    ...Object.entries(baseUrls(url)),
    ['', ''],
    [messages.bannerKey, keyLine(facts, messages)],
    [messages.bannerProviders, providersLine(facts, messages)],
    [messages.bannerConfig, configLine(facts, messages)],
    [messages.bannerData, facts.data],
    ...workersLine(facts, messages),
  ];
  const { ask } = keyExpression(facts);
  const tryIt = ask ? messages.bannerTryWithKey(facts.config.keys[0]?.name ?? '') : messages.bannerTry;
  const wide = isLoopback(host) ? '' : `${messages.bannerWide}\n`;
  return `${messages.bannerListening(facts.version, url)}\n${wide}\n${twoColumns(rows)}\n\n${tryIt}\n${curl(url, facts, messages)}\n`;
}

/** The same for programs. No value of a key. */
export function bannerJson(facts: BannerFacts): Readonly<Record<string, unknown>> {
  const { version, port, config, loaded, found, key, data } = facts;
  const url = localUrl(config.server.host, port);
  const { OpenAI, Anthropic, Gemini } = baseUrls(url);
  const providers = Object.entries(config.providers).map(([name, { preset }]) => {
    const from = found.find((one) => nameIn(one, config) === name)?.from;
    return { name, preset, ...(from ? { from } : {}) };
  });
  return {
    version,
    url,
    baseUrls: { openai: OpenAI, anthropic: Anthropic, gemini: Gemini },
    config: loaded.file ?? null,
    data,
    keyFile: key?.path ?? null,
    providers,
    sandbox: hasSandbox(config),
  };
}
