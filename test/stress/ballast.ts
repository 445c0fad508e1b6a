// Works all the time, for nothing: `fork('ballast.ts')`. Ends with the one that started it.
process.on('disconnect', () => process.exit());
const work = (): void => {
  const until = performance.now() + 50;
  while (performance.now() < until);
  setImmediate(work);
};
work();
