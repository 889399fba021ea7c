import type { JSX } from 'preact';
import type { GraphNet } from '../../src/protocol';
import { formatCount, formatShape, formatShare } from '../format';
import { t } from '../l10n';
import type { Zeros } from './tint';

/** The net as a table, for those who read rather than look. */
export function NetTable(props: {
  net: GraphNet;
  zeros: Zeros;
  selected: string | undefined;
  onSelect: (node: number, layer: string) => void;
}): JSX.Element {
  const { net, zeros, selected, onSelect } = props;
  const inputs = new Map<number, string[]>();
  for (const { to, blob } of net.edges) inputs.set(to, [...(inputs.get(to) ?? []), blob]);
  return (
    <div class="pane table">
      <table>
        <thead>
          <tr>
            {[t('Layer'), t('Type'), t('Inputs'), t('Outputs'), t('Parameters'), t('MACs'), t('Zeros')].map(
              (head) => (
                <th key={head} scope="col">
                  {head}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {net.nodes.flatMap((node) =>
            node.layers.map((layer, index) => (
              <tr key={layer.id} aria-selected={layer.name === selected}>
                <th scope="row">
                  <button class="link" onClick={() => onSelect(node.id, layer.name)}>
                    {layer.name}
                  </button>
                </th>
                <td class="words">{layer.type}</td>
                <td class="words">{index === 0 ? (inputs.get(node.id) ?? []).join(', ') : t('in place')}</td>
                <td class="words">
                  {layer.tops
                    .map(({ name, shape }) => (shape ? `${name} ${formatShape(shape)}` : name))
                    .join(', ')}
                </td>
                <td>{layer.parameters === 0 ? '' : formatCount(layer.parameters)}</td>
                <td>{layer.macs === 0 ? '' : formatCount(layer.macs)}</td>
                <td>{zeros.has(layer.name) ? formatShare(zeros.get(layer.name)!) : ''}</td>
              </tr>
            )),
          )}
        </tbody>
      </table>
    </div>
  );
}
