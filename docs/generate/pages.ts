import { chartValuesTable } from '../../charts/generate.ts';
import { chartValues, costTable, example, nodeTable, valueTable } from './capacity.ts';
import { commandTable, exitTable, flagTables, variableTable } from './cli.ts';
import { environmentTables } from './environment.ts';
import { reasonTable } from './errors.ts';
import { figuresTable, picture } from './figures.ts';
import { formatsRead, formatsWritten } from './formats.ts';
import type { Sections } from './markdown.ts';
import { optionTables } from './options.ts';
import { skewCostTable } from './skew/tables.ts';
import { skewPipelines, skewTotals } from './skew-pipelines.ts';

/** Pages with places for what is made from the code, and what makes it. */
export const pages: Readonly<Record<string, Sections>> = {
  'README.md': { picture, figures: figuresTable },
  'docs/errors.md': { reasons: reasonTable },
  'charts/image-service/README.md': { values: chartValuesTable },
  'docs/capacity.md': {
    costs: costTable,
    example,
    values: valueTable,
    nodes: nodeTable,
    chart: chartValues,
  },
  'docs/cli.md': {
    commands: commandTable,
    flags: flagTables,
    exits: exitTable,
    variables: variableTable,
  },
  'docs/environment.md': { variables: environmentTables },
  'docs/formats.md': { read: formatsRead, written: formatsWritten },
  'docs/options.md': { options: optionTables },
  'docs/skew.md': { costs: skewCostTable },
  'docs/skew-pipelines.md': { totals: skewTotals, pipelines: skewPipelines },
};
