import type { RelayedFaults } from '../protocol.ts';
import { failedResponse, writeFailure } from './faults.ts';

const RESPONSE = Buffer.from('"response"');
const SEQUENCE = Buffer.from('"sequence_number"');
/** A response's own members stand at its front. */
const FRONT_BYTES = 4096;
/** A number and the space before it. */
const NUMBER_BYTES = 32;

/** The value of a member in text, quotes and all; the first one is meant. */
const valueOf = (text: string, name: string): string | undefined =>
  new RegExp(String.raw`"${name}"\s*:\s*("(?:[^"\\]|\\.)*"|\d+)`).exec(text)?.[1];

const read = (value: string | undefined): unknown => (value === undefined ? undefined : (JSON.parse(value) as unknown));

/**
 * Writes an error after events that were relayed as they came: under the id of the response that has begun, and numbered on from the last
 * event. Neither is parsed: a quote in a text is escaped there, so a name in quotes is found only where it is one.
 */
export function createRelayedFaults(): RelayedFaults {
  let begun: { readonly id: string; readonly model: string; readonly createdAt: number } | undefined;
  let sequence = 0;
  return {
    see(events) {
      if (!begun) {
        const at = events.indexOf(RESPONSE);
        if (at >= 0) {
          const front = events.toString('utf8', at, at + FRONT_BYTES);
          const [id, model, createdAt] = ['id', 'model', 'created_at'].map((name) => read(valueOf(front, name)));
          begun = {
            id: typeof id === 'string' ? id : '',
            model: typeof model === 'string' ? model : '',
            createdAt: typeof createdAt === 'number' ? createdAt : 0,
          };
        }
      }
      const last = events.lastIndexOf(SEQUENCE);
      if (last < 0) return;
      const from = last + SEQUENCE.length;
      const number = /^\s*:\s*(\d{1,15})/.exec(events.toString('latin1', from, from + NUMBER_BYTES))?.[1];
      if (number !== undefined) sequence = Number(number) + 1;
    },
    faultFrame(fault, _requestId, write) {
      writeFailure(
        fault,
        { ...failedResponse(fault), ...(begun ? { id: begun.id, created_at: begun.createdAt, model: begun.model } : {}) },
        sequence,
        write,
      );
    },
  };
}
