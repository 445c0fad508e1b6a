import { recordHead } from '../../exchange/call-record.ts';
import type { CallRecord } from '../../exchange/ports.ts';
import type { Fault } from '../../ir/index.ts';
import type { Operation } from './endpoints.ts';
import type { GatewayPorts, Visit } from './visit.ts';

type Asked = Pick<Visit, 'id' | 'label' | 'at' | 'started' | 'method' | 'key' | 'client' | 'snapshot'>;

/** What was asked of a model; `undefined`: nothing was, and nothing is recorded. */
function operationOf(operation: Operation, method: string): Pick<CallRecord, 'operation' | 'asked'> | undefined {
  switch (operation.kind) {
    case 'generate':
      return { operation: 'generate', asked: operation.model ?? '' };
    case 'count-tokens':
      return { operation: 'count_tokens', asked: operation.model ?? '' };
    case 'media':
      return method === 'POST' ? { operation: operation.ability, asked: operation.model ?? '' } : undefined;
    default:
      return undefined;
  }
}

/** Records a call that was refused before it came to be one, with the status that its client was given. */
export function noteRefusal(
  visit: Asked,
  operation: Operation,
  status: number,
  fault: Fault,
  ports: Pick<GatewayPorts, 'record' | 'clock'>,
): void {
  const what = operationOf(operation, visit.method);
  if (!what) return;
  ports.record({
    ...recordHead(visit, what.operation, what.asked),
    status,
    attempts: 0,
    durationMs: ports.clock.monotonic() - visit.started,
    endedBy: 'gateway',
    fault: fault.code ?? fault.kind,
  });
}
