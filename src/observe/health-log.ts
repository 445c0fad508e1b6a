import type { HealthNews } from '../policy/health-news.ts';
import type { Log } from './log.ts';

/** A name that a caller gave is shown so far. */
const MAX_NAME = 200;

/** What is set aside, in words. */
const AWAY: Readonly<Record<'target' | 'key' | 'provider', string>> = {
  target: 'A target fails: it is not asked for a while (its circuit is open)',
  key: 'A key of a provider is set aside for a while',
  provider: 'A provider does not answer its health check: it is not asked',
};
const BACK: typeof AWAY = {
  target: 'A target answers again: its circuit is closed',
  key: 'A key of a provider works again',
  provider: 'A provider answers its health check again',
};

/** Writes what becomes of targets, keys and providers: `warn` where one is set aside, `info` where it is well again. */
export const logHealth =
  ({ warn, info }: Pick<Log, 'warn' | 'info'>) =>
  ({ provider, model, key, out, until }: HealthNews): void => {
    const what = key ? 'key' : model === undefined ? 'provider' : 'target';
    const about = {
      provider,
      target: model === undefined ? undefined : `${provider}/${model}`.slice(0, MAX_NAME),
      key: key && `${key.number} of ${key.of}`,
    };
    if (out === undefined) info(about, BACK[what]);
    else warn({ ...about, why: out, until: until === undefined ? undefined : new Date(until).toISOString() }, AWAY[what]);
  };
