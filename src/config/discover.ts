import { request } from 'node:http';
import { isObject, parseObject } from '../ir/index.ts';
import { presets, presetsByEnv } from '../presets/index.ts';
import type { Preset, ProviderSettings } from '../presets/preset.ts';
import type { Config } from './config.ts';
import type { Env } from './find-file.ts';

/** A provider that nobody configured. `from` tells where it was found: variables or an address, never a value. */
export interface Found {
  readonly name: string;
  readonly settings: ProviderSettings;
  readonly from: readonly string[];
}

/** How long a local server may take to answer. */
const PROBE_MS = 300;

/** Below are other servers' ports: a web server is no sign of a model. */
const FIRST_USER_PORT = 1024;

/** Asks an address on this machine; the answer's body, or `undefined`. Must not take longer than `timeoutMs`. */
export type Probe = (url: string, timeoutMs: number) => Promise<string | undefined>;

/** Whether providers may be found at all: not where the file names some, nor where it says not to look. */
export const mayDiscover = (config: Pick<Config, 'discover' | 'providers'>): boolean =>
  config.discover && Object.keys(config.providers).length === 0;

/** Providers whose keys are in the environment. */
export const findInEnvironment = (env: Env): readonly Found[] =>
  presetsByEnv(env).map(({ preset, settings, from }) => ({ name: preset.id, settings, from }));

/** Local kinds by port; where two share one, the first in the list of presets. */
function localPresets(): ReadonlyMap<number, Preset> {
  const byPort = new Map<number, Preset>();
  for (const preset of presets.values()) {
    const port = preset.local?.port;
    if (port !== undefined && port >= FIRST_USER_PORT && !byPort.has(port)) byPort.set(port, preset);
  }
  return byPort;
}

/** Whether an answer is a list of models as OpenAI's API gives it: anything may listen on such a port. */
function isModelList(body: string | undefined): boolean {
  const answer = body === undefined ? undefined : parseObject(body);
  return isObject(answer) && Array.isArray(answer['data']);
}

async function probePort(port: number, preset: Preset, env: Env, probe: Probe): Promise<Found | undefined> {
  const body = await probe(`${preset.origin}${preset.local?.probe ?? ''}`, PROBE_MS).catch(() => undefined);
  if (!isModelList(body)) return undefined;
  const variable = preset.env.find((name) => env[name] && preset.envRegions?.[name] === undefined);
  const key = variable === undefined ? {} : { key: env[variable] ?? '' };
  return {
    name: preset.id,
    settings: { preset: preset.id, ...key },
    from: [`127.0.0.1:${port}`, ...(variable === undefined ? [] : [variable])],
  };
}

/** Model servers on this machine, asked all at once on their usual ports. `ownPort` is the gateway's: it must not find itself. */
export async function findLocalServers(env: Env, ownPort: number, probe: Probe = httpProbe): Promise<readonly Found[]> {
  const asked = [...localPresets()].filter(([port]) => port !== ownPort);
  const found = await Promise.all(asked.map(([port, preset]) => probePort(port, preset, env, probe)));
  return found.filter((one) => one !== undefined);
}

/** A configuration with what was found. A name that is taken (the same kind in the cloud) gets `-local`. */
export function withFound(config: Config, found: readonly Found[]): Config {
  const providers: Record<string, ProviderSettings> = { ...config.providers };
  for (const { name, settings } of found) providers[Object.hasOwn(providers, name) ? `${name}-local` : name] = settings;
  return { ...config, providers };
}

/** Longer lists of models than any machine holds. */
const MAX_ANSWER = 1024 * 1024;

/** Asks over HTTP. Whatever goes wrong is no answer. */
export const httpProbe: Probe = (url, timeoutMs) =>
  new Promise((resolve) => {
    const pieces: Buffer[] = [];
    let size = 0;
    const call = request(url, { signal: AbortSignal.timeout(timeoutMs), agent: false }, (response) => {
      response.on('data', (piece: Buffer) => {
        size += piece.length;
        if (size > MAX_ANSWER) call.destroy();
        else pieces.push(piece);
      });
      response.on('end', () => resolve(response.statusCode === 200 ? Buffer.concat(pieces).toString('utf8') : undefined));
      response.on('error', () => resolve(undefined));
    });
    call.on('error', () => resolve(undefined));
    call.end();
  });
