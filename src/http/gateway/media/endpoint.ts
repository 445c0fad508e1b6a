import type { IncomingMessage } from 'node:http';
import type { MediaOperation } from '../endpoints.ts';
import type { GatewayPorts, Visit } from '../visit.ts';

/** Answers one kind of request: reads it, runs it, writes the reply in the caller's shape. */
export type MediaEndpoint = (visit: Visit, operation: MediaOperation, request: IncomingMessage, ports: GatewayPorts) => Promise<void>;
