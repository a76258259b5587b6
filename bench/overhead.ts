import process from 'node:process';
import { benchArguments, printTable } from './measure.ts';
import { allowedSpread, goalHead, goalRow } from './overhead/goals.ts';
import { goalsOf, rivalRows } from './overhead/goals-of.ts';
import { measureAll } from './overhead/measure-all.ts';

/*
 * The overhead of the service: small images, PNGs and photographs beside what people write by hand, with the goal of each.
 * `--quick` measures only the rivals that a goal names, in two minutes.
 */

const options = benchArguments();
const measured = await measureAll(options);
printTable([goalHead, ...goalsOf(measured).map(goalRow)]);
process.stdout.write(
  `\nMedians of ${measured.rounds} rounds in turn; "now" is the median of the rounds' ratios. Rounds that differ by more than ${100 * allowedSpread} % of it disagree: run again on a machine with less other work.\n`,
);
if (!options.quick) {
  process.stdout.write('\n');
  printTable(rivalRows(measured));
  process.stdout.write('\nErrors are in levels of 255, beside the exact pixels before they are encoded.\n');
}
if (measured.missing.length > 0) {
  process.stdout.write(`Left out, because not installed: ${measured.missing.join(', ')}.\n`);
}
