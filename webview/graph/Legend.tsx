import type { JSX } from 'preact';
import type { GraphFamily, GraphNet } from '../../src/protocol';
import { t } from '../l10n';
import type { Tint } from './tint';

const names = (): Readonly<Record<GraphFamily, string>> => ({
  data: t('data'),
  weights: t('weights'),
  pooling: t('pooling'),
  activation: t('activation'),
  normalization: t('normalization'),
  arrange: t('arrangement'),
  loss: t('loss and accuracy'),
  other: t('other'),
});

/** What the colours stand for. */
export function Legend({ tint, net }: { tint: Tint; net: GraphNet }): JSX.Element {
  const there = new Set(net.nodes.map(({ layers }) => layers[0].family));
  return (
    <footer class="legend">
      {tint === 'type' ? (
        Object.entries(names()).map(
          ([family, name]) =>
            there.has(family as GraphFamily) && (
              <span key={family}>
                <i class={`swatch ${family}`} />
                {name}
              </span>
            ),
        )
      ) : (
        <span>
          {tint === 'zeros' ? t('no zeros') : t('few parameters')} <i class="ramp" />{' '}
          {tint === 'zeros' ? t('all zeros') : t('most parameters')}
        </span>
      )}
    </footer>
  );
}
