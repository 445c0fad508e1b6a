import { CLOUDS } from './wires/cloud-rows.ts';
import { MAKERS } from './wires/maker-rows.ts';
import { SERVERS } from './wires/server-rows.ts';
import type { WireRow } from './wires/wire-row.ts';

/** Every wire. */
export const WIRE_ROWS: readonly WireRow[] = [...MAKERS, ...CLOUDS, ...SERVERS];
