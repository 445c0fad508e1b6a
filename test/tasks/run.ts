// npm run test:tasks [rounds]: kills a real server at random while tasks run.
import { killAll } from '../e2e/program.ts';
import { killRounds } from './kill-rounds.ts';

const rounds = Number(process.argv[2] ?? 100);
try {
  const started = performance.now();
  const { lost, twice, leaked, ...counts } = await killRounds(rounds);
  console.log(JSON.stringify(counts));
  console.log(
    `${lost.length} lost, ${twice.length} submitted twice, ${leaked.length} answered to another key, in ${Math.round((performance.now() - started) / 1000)} s`,
  );
  for (const one of [...lost, ...twice, ...leaked].slice(0, 20)) console.log(`  ${one}`);
  process.exitCode = lost.length + twice.length + leaked.length > 0 ? 1 : 0;
} finally {
  await killAll();
}
