import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Button, Checkbox } from '../controls';
import { formatCount } from '../format';
import { type Column, Grid } from '../Grid';
import { t } from '../l10n';
import { useDispatch, useModel } from './context';
import { defaultForm, formatKeeps, parseKeeps, type SweptLayer, tutorialForm } from './sweepForm';

/** Rows in sight before the table scrolls. */
const mostRows = 8;

/** Which layers are swept, and at which keep ratios. */
export function SweptLayers({
  layers,
  disabled,
}: {
  layers: readonly SweptLayer[];
  disabled: boolean;
}): JSX.Element {
  const dispatch = useDispatch();
  const form = useModel((state) => state.kept.sweep);
  const [active, setActive] = useState(0);
  const tutorial = tutorialForm(layers);
  const chosen = layers.filter((layer) => layer.chosen).length;
  const choose = (names: readonly string[], on: boolean) =>
    dispatch({
      kind: 'sweep',
      form: { chosen: { ...form.chosen, ...Object.fromEntries(names.map((name) => [name, on])) } },
    });
  const columns: Column<SweptLayer>[] = [
    {
      key: 'chosen',
      title: t('Sweep'),
      track: '34px',
      header: (
        <Checkbox
          label={t('Sweep all layers')}
          checked={chosen > 0}
          mixed={chosen > 0 && chosen < layers.length}
          disabled={disabled}
          onChange={(on) =>
            choose(
              layers.map(({ name }) => name),
              on,
            )
          }
        />
      ),
      render: ({ name, chosen: on }) => (
        <Checkbox
          label={t('Sweep {0}', name)}
          checked={on}
          disabled={disabled}
          tabIndex={-1}
          onChange={(next) => choose([name], next)}
        />
      ),
    },
    {
      key: 'name',
      title: t('Layer'),
      track: 'minmax(80px, 1fr)',
      render: ({ name }) => <span title={name}>{name}</span>,
    },
    {
      key: 'weights',
      title: t('Weights'),
      track: 'minmax(80px, 110px)',
      numeric: true,
      from: 420,
      render: ({ weights }) => formatCount(weights),
    },
    {
      key: 'keeps',
      title: t('Keep ratios (%)'),
      track: 'minmax(140px, 4fr)',
      render: (layer) => (
        <KeepsField
          layer={layer}
          disabled={disabled || !layer.chosen}
          onInput={(keeps) =>
            dispatch({ kind: 'sweep', form: { keeps: { ...form.keeps, [layer.name]: keeps } } })
          }
        />
      ),
    },
    {
      key: 'measured',
      title: t('Measured'),
      track: '90px',
      numeric: true,
      from: 520,
      render: ({ keeps, measured, chosen: on }) => on && t('{0} of {1}', measured, keeps.length),
    },
  ];
  return (
    <>
      <div
        class="swept-layers"
        style={{ height: `${26 + 24 * Math.min(mostRows, Math.max(2, layers.length))}px` }}
      >
        <Grid
          label={t('Layers to sweep')}
          columns={columns}
          rows={layers}
          rowKey={({ name }) => name}
          active={Math.min(active, layers.length - 1)}
          onActive={setActive}
          onKey={(event, { name, chosen: on }) => {
            if (event.key === ' ' && !disabled) {
              event.preventDefault();
              choose([name], !on);
            } else if (event.key === 'Enter' && event.currentTarget instanceof HTMLElement) {
              event.currentTarget.querySelector<HTMLInputElement>('.row.active input.keeps')?.focus();
            }
          }}
          rowClass={({ chosen: on }) => (on ? '' : 'quiet')}
          empty={t('No layer has weights to prune.')}
        />
      </div>
      <div class="tools">
        <Button disabled={disabled} onClick={() => dispatch({ kind: 'sweep', form: defaultForm(layers) })}>
          {t('Default Ratios')}
        </Button>
        {tutorial && (
          <Button disabled={disabled} onClick={() => dispatch({ kind: 'sweep', form: tutorial })}>
            {t('The LeNet Tutorial’s Ratios')}
          </Button>
        )}
      </div>
    </>
  );
}

/** A list of percentages to type; it is taken with each key stroke that leaves one, and tidied once the field is left. */
function KeepsField(props: {
  layer: SweptLayer;
  disabled: boolean;
  onInput: (keeps: number[]) => void;
}): JSX.Element {
  const { layer, disabled, onInput } = props;
  const [typed, setTyped] = useState<string | undefined>(undefined);
  return (
    <input
      class="keeps"
      type="text"
      spellcheck={false}
      value={typed ?? formatKeeps(layer.keeps)}
      title={t('Percentages of the weights to keep, above 0 and up to 100, with commas between')}
      aria-label={t('Keep ratios of {0}, in percent', layer.name)}
      aria-invalid={typed !== undefined && parseKeeps(typed) === undefined}
      disabled={disabled}
      tabIndex={-1}
      onInput={(event) => {
        const text = event.currentTarget.value;
        setTyped(text);
        const keeps = parseKeeps(text);
        if (keeps) onInput(keeps);
      }}
      onBlur={() => setTyped(undefined)}
      onKeyDown={(event) => {
        if (event.key === 'Enter') event.currentTarget.blur();
      }}
    />
  );
}
