// node scripts/schema.ts: writes schema/v1.json from the shape that configuration files are checked by. With --check it only
// says whether the file is up to date.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configJsonSchemaText } from '../src/config/json-schema.ts';

const folder = join(import.meta.dirname, '..', 'schema');
const file = join(folder, 'v1.json');
const wanted = configJsonSchemaText();

function current(): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

if (!process.argv.includes('--check')) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, wanted);
} else if (current() !== wanted) {
  console.error('schema/v1.json is not what the code says. Write it anew: node scripts/run.js scripts/schema.ts');
  process.exitCode = 1;
}
