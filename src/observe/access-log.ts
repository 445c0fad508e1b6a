import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from './log.ts';

/** A server, as far as it is listened to. */
interface RequestSource {
  on(event: 'request', listener: (request: IncomingMessage, response: ServerResponse) => void): unknown;
}

/** One line a request when it has ended, at `debug`. The query is left out: it may hold a key. */
export function logAccess(server: RequestSource, log: Log): void {
  server.on('request', (request, response) => {
    if (!log.isOn('debug')) return;
    const started = performance.now();
    response.on('close', () => {
      const { method, url = '' } = request;
      log.debug(
        {
          requestId: response.getHeader('x-pailou-request-id'),
          method,
          path: url.split('?')[0],
          status: response.headersSent ? response.statusCode : undefined,
          ms: Math.round((performance.now() - started) * 10) / 10,
          ended: response.writableFinished ? undefined : 'early',
        },
        'request',
      );
    });
  });
}
