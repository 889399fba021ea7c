import { formatCount, formatShare } from '../format';
import { t } from '../l10n';
import type { totals } from './state';

type Totals = ReturnType<typeof totals>;

/** The share of zeros among the parameters whose statistics are there. */
export const zerosText = ({ parameters, zeros, known, complete }: Totals): string =>
  parameters === 0 && complete ? formatShare(0) : known === 0 ? '…' : formatShare(zeros / known);

/** Of how many parameters that is, while it is not of all. */
export const knownTitle = ({ parameters, known, complete }: Totals): string | undefined =>
  complete || known === 0
    ? undefined
    : t(
        'Of the {0} of {1} parameters whose statistics are there. Those of other layers come when the layers come into sight, or all are asked for.',
        formatCount(known),
        formatCount(parameters),
      );
