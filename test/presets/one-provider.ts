// What an exchange stands on where there is one provider and nothing else.
import type { Config } from '../../src/config/config.ts';
import type { ExchangePorts } from '../../src/exchange/exchange.ts';
import type { CallRecord } from '../../src/exchange/ports.ts';
import { createTrying } from '../../src/exchange/trying/trying.ts';
import { createLiveSignals } from '../../src/policy/live-signals.ts';
import type { Snapshot } from '../../src/policy/snapshot.ts';
import type { Provider } from '../../src/presets/preset.ts';
import { providerCodecs } from '../../src/protocols/index.ts';
import type { UpstreamHeaders, UpstreamRequest } from '../../src/upstream/send.ts';

/** When all of it happens. */
export const NOW = Date.UTC(2026, 10, 22, 12);

/** What one request is answered with. */
interface Answer {
  readonly status: number;
  readonly headers: UpstreamHeaders;
  readonly body: string;
}

/** A configuration with this provider alone. */
export const snapshotOf = (provider: Provider): Snapshot => ({
  revision: 1,
  fingerprint: '',
  config: {} as Config,
  providers: new Map([[provider.name, provider]]),
  aliases: new Map(),
  patterns: [],
  keys: new Map(),
});

/** Ports before a provider that gives these answers; a defect fails the test. */
export const portsBefore = (
  answer: (request: UpstreamRequest) => Answer,
  record: (made: CallRecord) => void,
): Omit<ExchangePorts, 'seals' | 'media' | 'mediaStore'> => ({
  clock: { now: () => NOW, monotonic: () => 0 },
  newId: (prefix) => `${prefix}1`,
  post: () => Promise.reject(new Error('no token is asked for in this test')),
  codecs: providerCodecs,
  signals: createLiveSignals(),
  trying: createTrying({ mark: () => {} }, { now: () => 0, monotonic: () => 0 }),
  record,
  onDefect(error) {
    throw error;
  },
  send(request, to) {
    const { status, headers, body } = answer(request);
    queueMicrotask(() => {
      to.head(status, headers);
      to.body(Buffer.from(body));
      to.end();
    });
    return { abort() {}, resume() {} };
  },
});
