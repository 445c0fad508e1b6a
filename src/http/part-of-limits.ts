import type { Config } from '../config/config.ts';
import { usableMemory } from './overload.ts';

type Limits = Config['limits'];

/** What one of several processes keeps of the limits that count for all of them together: calls under way, connections, and memory. */
export function partOfLimits(processes: number): (limits: Limits) => Limits {
  let whole: Limits | undefined;
  let part: Limits | undefined;
  return (limits) => {
    if (processes === 1) return limits;
    // Asked for with each call; other limits come with another configuration only.
    if (part && whole === limits) return part;
    const { calls, connections, overload } = limits;
    const memoryBytes = (overload.memoryBytes ?? usableMemory()) / processes;
    whole = limits;
    const mine = { calls: Math.ceil(calls / processes), connections: Math.ceil(connections / processes) };
    part = { ...limits, ...mine, overload: { ...overload, memoryBytes } };
    return part;
  };
}
