import type * as http from 'node:http';
import type { MediaFetcher } from '../exchange/ports.ts';
import { GatewayError, gatewayFault } from '../ir/index.ts';
import { createGate, type Gate } from './gate.ts';
import { createGuardedStream } from './guarded-stream.ts';
import { checkedAddresses, checkedUrl, FILE_HEADERS, hostOf, type Refuse, refusal, requestTo, systemResolve } from './guarded-url.ts';
import { mediaTypeOf } from '../media/media-type.ts';

/** What fetching stands on. */
export interface FetcherPorts {
  /** In force now: which private addresses may be reached, and how large a file may be. */
  readonly bounds: () => { readonly allow: readonly string[]; readonly fetchBytes: number };
  /** Every address of a host name. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
  /** Altogether, from the start of the look-up. */
  readonly totalMs?: number;
}

const TOTAL_MS = 30_000;
const IDLE_MS = 10_000;
const FETCHES = { running: 16, waiting: 256 };
/** Look-ups occupy threads that files need as well: there are four. */
const LOOKUPS = { running: 2, waiting: 256 };
/** One call may name several files: together they may be this many times as large as one. */
const FILES_A_CALL = 4;

/** Bytes that all files of one call may still take. */
interface Budget {
  left: number;
}

interface Fetching {
  readonly url: URL;
  readonly addresses: readonly string[];
  readonly maxBytes: number;
  readonly budget: Budget;
  readonly signal: AbortSignal;
  readonly refuse: Refuse;
}

/** Why an answer is not taken, if so. */
function faultOfHead({ statusCode = 0, headers }: http.IncomingMessage, { maxBytes, refuse }: Fetching): GatewayError | undefined {
  if (statusCode >= 300 && statusCode < 400)
    return refuse('it redirects, which is not followed. Give the address that it leads to', 'url_redirects');
  if (statusCode < 200 || statusCode > 299)
    return refuse(`its server answered ${statusCode}`, statusCode === 404 || statusCode === 410 ? 'url_gone' : 'url_unreachable');
  if (Number(headers['content-length'] ?? 0) > maxBytes) return tooLarge(maxBytes, refuse);
  const { 'content-encoding': encoding = 'identity' } = headers;
  return encoding === 'identity' ? undefined : refuse('its server sent it compressed although that was not asked for', 'url_unreachable');
}

const tooLarge = (maxBytes: number, refuse: Refuse): GatewayError => refuse(`its file is larger than ${maxBytes} bytes`, 'file_too_large');

/** Gets a file from one of the checked addresses. */
function get(fetching: Fetching): Promise<{ readonly data: Buffer; readonly contentType: string | undefined }> {
  const { url, addresses, maxBytes, budget, signal, refuse } = fetching;
  return new Promise((resolve, reject) => {
    const call = requestTo(url, addresses, { headers: FILE_HEADERS, maxHeaderSize: 16 * 1024, timeout: IDLE_MS, signal });
    const stop = (fault: GatewayError): void => {
      reject(fault);
      call.destroy();
    };
    const unreachable = (): void =>
      stop(refuse(signal.aborted ? 'its server took too long' : 'its server could not be reached or cut the answer', 'url_unreachable'));
    call.on('timeout', () => stop(refuse('its server took too long', 'url_unreachable')));
    call.on('error', unreachable);
    call.on('response', (response) => {
      const fault = faultOfHead(response, fetching);
      if (fault) return stop(fault);
      const pieces: Buffer[] = [];
      let bytes = 0;
      response.on('data', (piece: Buffer) => {
        bytes += piece.length;
        budget.left -= piece.length;
        if (bytes > maxBytes) stop(tooLarge(maxBytes, refuse));
        else if (budget.left < 0) stop(refuse('the files of this request are too large together', 'file_too_large'));
        else pieces.push(piece);
      });
      response.on('error', unreachable);
      response.on('end', () => resolve({ data: Buffer.concat(pieces, bytes), contentType: response.headers['content-type'] }));
    });
    call.end();
  });
}

/**
 * As many are fetched and wait as may: whoever comes then is refused at once, as of all that there is too much of (503, with `Retry-After`),
 * in its protocol's words. A call goes on to a target for which nothing has to be fetched, where it has one; it is no target's failure.
 */
const overloaded = (): GatewayError =>
  new GatewayError(
    gatewayFault('overloaded', 'Too many files are being fetched. Try again soon', { code: 'fetches_full', retryAfterMs: 1000 }),
  );

/** The rest of what the files of one call may take, known by the call's signal. */
function createBudgets(): (signal: AbortSignal, fetchBytes: number) => Budget {
  const budgets = new WeakMap<AbortSignal, Budget>();
  return (signal, fetchBytes) => {
    const budget = budgets.get(signal) ?? { left: fetchBytes * FILES_A_CALL };
    budgets.set(signal, budget);
    return budget;
  };
}

/** Rejects when a signal says so. */
const whenAborted = (signal: AbortSignal, fault: () => GatewayError): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(fault());
    else signal.addEventListener('abort', () => reject(fault()), { once: true });
  });

/**
 * Fetches what clients' URLs name, and nothing that only this machine or its network can see: a name is resolved once, every
 * address of it checked, and a checked one dialled; redirects are not followed; size and time are bounded. Throws `GatewayError`: what is
 * wrong with the address, or `fetches_full` where too many are fetched already.
 */
export function createMediaFetcher({ bounds, resolve = systemResolve, totalMs = TOTAL_MS }: FetcherPorts): MediaFetcher {
  const fetches: Gate = createGate(FETCHES, overloaded);
  const lookups: Gate = createGate(LOOKUPS, overloaded);
  const budgetOf = createBudgets();

  return {
    async check(text, param) {
      const refuse = refusal(param);
      const host = hostOf(checkedUrl(text, refuse));
      await lookups(() => checkedAddresses(host, resolve, bounds().allow, refuse));
    },
    open: createGuardedStream(() => bounds().allow, resolve),
    async fetch(text, param, signal) {
      const refuse = refusal(param);
      const url = checkedUrl(text, refuse);
      const { allow, fetchBytes } = bounds();
      const budget = budgetOf(signal, fetchBytes);
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(totalMs)]);
      const late = whenAborted(deadline, () => refuse('its server took too long', 'url_unreachable'));
      const work = fetches(async () => {
        if (deadline.aborted) return late;
        const addresses = await Promise.race([late, lookups(() => checkedAddresses(hostOf(url), resolve, allow, refuse))]);
        const { data, contentType } = await get({ url, addresses, maxBytes: fetchBytes, budget, signal: deadline, refuse });
        return { data, mediaType: mediaTypeOf(data, contentType) };
      });
      return Promise.race([late, work]);
    },
  };
}
