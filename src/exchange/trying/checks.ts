import { GatewayError } from '../../ir/index.ts';
import type { Health } from '../../policy/health.ts';
import type { Snapshot } from '../../policy/snapshot.ts';
import type { HealthCheck, Provider, ProviderMedia, ProviderWire } from '../../presets/preset.ts';
import { fetchWhole } from '../../upstream/fetch-whole.ts';
import type { AttemptPorts } from '../attempt.ts';
import { credentialsOf } from './guide.ts';

/** What checks need of the world. */
export interface CheckPorts extends Pick<AttemptPorts, 'clock' | 'send' | 'post'> {
  readonly health: Pick<Health, 'checked' | 'ended'>;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
  /** Whether this process is to ask, of those that share what they learn; asked each time. */
  readonly isLeader: () => boolean;
  readonly onDefect: (error: unknown, what: string) => void;
}

/** Asks providers on a schedule how they are, where the configuration wants that. */
export interface Checks {
  /** Goes by this configuration from now on: what it does not ask about counts as well. */
  follow(snapshot: Pick<Snapshot, 'providers'>): void;
  stop(): void;
}

const MAX_BYTES = 8 * 1024 * 1024;
/** What a check found holds for so many times its interval. */
const HOLDS = 3;
/** Checks come so much earlier or later, so that they do not fall together. */
const JITTER = 0.1;

type Verdict = 'well' | 'ill' | 'refused';

/** What an answer says of the provider. A list of models need only come from a server that works; a path of the operator's own must succeed. */
function verdictOf(status: number, { isOwnPath }: HealthCheck): Verdict {
  // A key that may not list models may still be good for calls.
  if (status === 401 || (status === 403 && isOwnPath)) return 'refused';
  if (status >= 200 && status < 300) return 'well';
  return isOwnPath || status >= 500 || status === 408 ? 'ill' : 'well';
}

async function ask(provider: Provider, check: HealthCheck, ports: CheckPorts): Promise<Verdict> {
  const wire: ProviderWire | ProviderMedia | undefined = provider.wires.values().next().value ?? provider.media[0];
  if (!wire) return 'well';
  const { timeoutMs, path } = check;
  const timeouts = { connect: timeoutMs, headers: timeoutMs, idle: timeoutMs };
  const request = { origin: wire.origin, method: 'GET', path, headers: wire.headers, body: [], timeouts };
  try {
    const signed = wire.sign ? await wire.sign(request, { now: () => ports.clock.now(), post: ports.post }) : {};
    const { status } = await fetchWhole(ports.send, { ...request, headers: { ...wire.headers, ...signed } }, MAX_BYTES, timeoutMs);
    return verdictOf(status, check);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return error.fault.code === 'upstream_credential' ? 'refused' : 'ill';
  }
}

/** One provider, asked again and again. Gives what ends that. */
function watch(provider: Provider, check: HealthCheck, ports: CheckPorts): () => void {
  const { health } = ports;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let turn = 0;
  let failures = 0;
  const refuse = ({ credential }: Provider): void => {
    const { name, setAside } = provider;
    const place = {
      provider: name,
      model: '',
      credential,
      credentials: credentialsOf(provider),
      watched: true,
      ...(setAside ? { setAside } : {}),
    };
    const verdict = { scope: 'credential', again: false } as const;
    health.ended(place, { target: false, credential: false }, { verdict });
  };
  const look = async (): Promise<void> => {
    const { credentials = [] } = provider;
    // Its keys in turn: so each of them is asked with.
    const paid = credentials[turn++ % credentials.length]?.provider ?? provider;
    const verdict = await ask(paid, check, ports);
    if (stopped) return;
    failures = verdict === 'ill' ? failures + 1 : 0;
    if (verdict === 'refused') refuse(paid);
    if (failures === 0) health.checked(provider.name, 0);
    // Told each time, so that a process that has just begun knows it as well.
    else if (failures >= check.failures) health.checked(provider.name, check.everyMs * HOLDS);
  };
  const again = (ms: number): void => {
    timer = setTimeout(() => {
      const looked = ports.isLeader() ? look() : Promise.resolve();
      void looked
        .catch((error: unknown) => ports.onDefect(error, `the check of ${provider.name}`))
        .finally(() => {
          if (!stopped) again(check.everyMs * (1 + JITTER * (2 * ports.random() - 1)));
        });
    }, ms).unref();
  };
  again(check.everyMs * ports.random());
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/** Nothing is asked yet. */
export function createChecks(ports: CheckPorts): Checks {
  /** What ends each of them, by the provider's name. */
  const running = new Map<string, () => void>();
  const stop = (): void => {
    for (const end of running.values()) end();
    running.clear();
  };
  return {
    stop,
    follow({ providers }) {
      const before = [...running.keys()];
      stop();
      for (const provider of providers.values()) if (provider.check) running.set(provider.name, watch(provider, provider.check, ports));
      for (const name of before) if (!running.has(name)) ports.health.checked(name, 0);
    },
  };
}
