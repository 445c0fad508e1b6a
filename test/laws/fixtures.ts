import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject, ProtocolId } from '../../src/ir/index.ts';
import { PROTOCOLS } from '../corpus/replay.ts';

const FOLDER = join(import.meta.dirname, '../fixtures');

/** One conversation as a provider told it: the request, the whole reply, and the same reply as a stream. */
export interface Fixture {
  readonly protocol: ProtocolId;
  readonly name: string;
  readonly body: JsonObject;
  readonly whole: JsonObject;
  readonly stream: Buffer;
}

/** What Gemini says in the path, where its decoder looks for it. */
function requestOf(protocol: ProtocolId, body: JsonObject): JsonObject {
  return protocol === 'gemini' ? { model: 'gemini-3-pro', stream: true, ...body } : body;
}

function fixture(protocol: ProtocolId, name: string): Fixture {
  const read = (ending: string): Buffer => readFileSync(join(FOLDER, protocol, name + ending));
  const parse = (ending: string): JsonObject => JSON.parse(read(ending).toString()) as JsonObject;
  return { protocol, name, body: requestOf(protocol, parse('.request.json')), whole: parse('.json'), stream: read('.stream.txt') };
}

/** Every conversation that is there as request, whole and stream, of every protocol. */
export function fixtures(): readonly Fixture[] {
  return PROTOCOLS.flatMap((protocol) => {
    const folder = join(FOLDER, protocol);
    const files = existsSync(folder) ? readdirSync(folder) : [];
    return files
      .filter((file) => file.endsWith('.stream.txt'))
      .map((file) => file.replace('.stream.txt', ''))
      .filter((name) => files.includes(`${name}.json`) && files.includes(`${name}.request.json`))
      .map((name) => fixture(protocol, name));
  });
}
