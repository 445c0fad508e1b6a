// npm run test:stress: a million numbered multibyte events over 64 streams through each pair of protocols. `--events N` a pair, `--seed N`.
import { parseArgs } from 'node:util';
import { runPairs } from './streams.ts';

const STREAMS = 64;
const { values } = parseArgs({
  options: { events: { type: 'string', default: '1000000' }, seed: { type: 'string', default: String(Date.now() % 100_000) } },
});
const perStream = Math.max(1, Math.round(Number(values.events) / STREAMS));
console.log(`seed ${values.seed}\n\n| client | upstream | events | wrong streams | seconds |\n| --- | --- | --: | --: | --: |`);
let wrong = 0;
for await (const pair of runPairs(STREAMS, perStream, Number(values.seed))) {
  wrong += pair.wrong;
  console.log(
    `| ${pair.client} | ${pair.upstream} | ${pair.events} | ${pair.wrong}${pair.why === undefined ? '' : `: ${pair.why}`} | ${pair.seconds.toFixed(1)} |`,
  );
}
process.exitCode = wrong > 0 ? 1 : 0;
