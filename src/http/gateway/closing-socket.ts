import { WebSocket } from 'ws';
import { CLOSING } from './websocket-session.ts';

/**
 * A socket that tells of `CLOSING`. The library answers a peer's close by one of its own, and tells of it only when the connection is
 * gone: a peer may keep that open.
 */
export class ClosingSocket extends WebSocket {
  override close(code?: number, reason?: string | Buffer): void {
    super.close(code, reason);
    this.emit(CLOSING);
  }
}
