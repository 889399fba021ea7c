import type { Column } from '../Grid';
import { Checkbox } from '../controls';
import { formatCount, formatShape } from '../format';
import { t } from '../l10n';
import { blobTitle } from './BlobDetail';
import type { useDispatch } from './context';
import { LayerName } from './LayerName';
import type { PlannedBlob } from './plan';

/** The first columns of a table of blobs that a plan prunes: whether it is chosen, its layer and its size. */
export function blobColumns<Blob extends PlannedBlob>(
  blobs: readonly Blob[],
  dispatch: ReturnType<typeof useDispatch>,
  /** Width in pixels from which there is room for the size. */
  from: number,
): Column<Blob>[] {
  const chosen = blobs.filter((blob) => blob.chosen).length;
  return [
    {
      key: 'chosen',
      title: t('Prune'),
      track: '34px',
      header: (
        <Checkbox
          label={t('Prune all that are shown')}
          checked={chosen > 0}
          mixed={chosen > 0 && chosen < blobs.length}
          onChange={(checked) => dispatch({ kind: 'plan.choose', places: blobs, chosen: checked })}
        />
      ),
      render: (blob) => (
        <Checkbox
          label={t('Prune {0}, {1}', blob.row.name, blobTitle(blob.row.type, blob.blob))}
          checked={blob.chosen}
          tabIndex={-1}
          onChange={(checked) => dispatch({ kind: 'plan.choose', places: [blob], chosen: checked })}
        />
      ),
    },
    {
      key: 'name',
      title: t('Layer'),
      track: 'minmax(90px, 2fr)',
      render: ({ row, blob, description }) => (
        <span title={`${row.name} · ${row.type} · ${formatShape(description.shape)}`}>
          <LayerName name={row.name} /> <span class="muted">{blobTitle(row.type, blob)}</span>
        </span>
      ),
    },
    {
      key: 'parameters',
      title: t('Parameters'),
      track: 'minmax(min(104px, 18%), 1fr)',
      numeric: true,
      from,
      render: ({ description }) => formatCount(description.count),
    },
  ];
}

/**
 * What the keys do on the active row of such a table: Space chooses it or not, the arrows change what is to stay of it,
 * Enter goes to the field for that, and Delete takes the plan's own.
 */
export const blobKeys =
  <Blob extends PlannedBlob>(
    dispatch: ReturnType<typeof useDispatch>,
    amounts: {
      /** Changes it by a hundredth of its range, up or down; false where there is nothing to change. */
      move: (blob: Blob, step: 1 | -1) => boolean;
      reset: (blob: Blob) => void;
    },
  ) =>
  (event: KeyboardEvent, blob: Blob): void => {
    if (event.key === ' ') {
      event.preventDefault();
      dispatch({ kind: 'plan.choose', places: [blob], chosen: !blob.chosen });
    } else if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') {
      const moved = blob.chosen && amounts.move(blob, event.key === 'ArrowRight' ? 1 : -1);
      if (moved) event.preventDefault();
    } else if (event.key === 'Enter' && event.currentTarget instanceof HTMLElement) {
      event.currentTarget.querySelector<HTMLInputElement>('.row.active input.number')?.focus();
    } else if ((event.key === 'Delete' || event.key === 'Backspace') && blob.own) {
      amounts.reset(blob);
    }
  };
