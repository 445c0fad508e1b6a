import { type Agent, type IncomingHttpHeaders, request as httpRequest } from 'node:http';
import { KEY } from './gateway.ts';

/** What a client got. `status` 0: the connection broke before an answer began. */
export interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The answer ended as HTTP says. */
  readonly isWhole: boolean;
}

/** A request to a gateway, or straight to an upstream. `heard` is told each piece as it comes. */
export interface Said {
  readonly url: string;
  readonly body: string | Buffer;
  readonly agent: Agent;
  readonly type?: string;
  readonly heard?: (text: string) => void;
  /** Besides those that every request has. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Hangs up. */
  readonly signal?: AbortSignal;
  /** It is given up after this, as if the connection had broken. */
  readonly withinMs?: number;
}

/** Asks and reads the answer; never rejects. */
export function talk({ url, body, agent, type = 'application/json', heard, withinMs = 60_000, signal, headers: more }: Said): Promise<Got> {
  return new Promise((resolve) => {
    const headers = { 'content-type': type, 'content-length': Buffer.byteLength(body), authorization: `Bearer ${KEY}`, ...more };
    let text = '';
    const sent = httpRequest(url, { method: 'POST', headers, agent, ...(signal ? { signal } : {}) }, (response) => {
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
        heard?.(piece);
      });
      response.on('error', () => {});
      response.on('close', () => {
        clearTimeout(deadline);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, isWhole: response.complete });
      });
    });
    const deadline = setTimeout(() => sent.destroy(), withinMs);
    sent.on('error', () => {
      clearTimeout(deadline);
      resolve({ status: 0, headers: {}, text, isWhole: false });
    });
    sent.end(body);
  });
}
