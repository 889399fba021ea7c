import { memo } from 'preact/compat';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { formatShape, formatShare, formatShortCount } from '../format';
import { t } from '../l10n';
import {
  clip,
  headHeight,
  pathThrough,
  rowHeight,
  type Drawing,
  type PlacedEdge,
  type PlacedNode,
} from './layout';
import { parametersOf, type Tint } from './tint';

const Arrow = memo(({ placed: { edge, points } }: { placed: PlacedEdge }) => {
  const middle = points[Math.floor(points.length / 2)];
  return (
    <g class="edge">
      <path d={pathThrough(points)} marker-end="url(#arrow)" />
      {edge.shape && (
        <text class="edge-shape" x={middle.x + 5} y={middle.y + 4}>
          {formatShape(edge.shape)}
        </text>
      )}
    </g>
  );
});

interface BoxProps {
  placed: PlacedNode;
  tint: Tint;
  /** 0 to 1, by parameters or zeros. */
  strength: number | undefined;
  selected: boolean;
  found: boolean;
  onSelect: (node: number, layer: string) => void;
}

const Box = memo(({ placed, tint, strength, selected, found, onSelect }: BoxProps) => {
  const { node, x, y, width, height } = placed;
  const [main, ...inPlace] = node.layers;
  const parameters = parametersOf(node);
  const shape = node.layers.at(-1)!.tops[0]?.shape;
  const label = [
    main.name,
    node.layers.map(({ type }) => type).join(', '),
    ...(shape ? [t('output {0}', formatShape(shape))] : []),
    ...(parameters > 0 ? [t('{0} parameters', formatShortCount(parameters))] : []),
    ...(tint === 'zeros' && strength !== undefined ? [t('{0} zeros', formatShare(strength))] : []),
  ].join('; ');
  return (
    <g
      id={`node-${node.id}`}
      class={`node ${selected ? 'selected' : ''} ${found ? 'found' : ''}`}
      role="option"
      aria-selected={selected}
      aria-label={label}
      transform={`translate(${x},${y})`}
      onClick={() => onSelect(node.id, main.name)}
    >
      <title>{label}</title>
      <rect
        class={`box ${tint === 'type' ? main.family : strength === undefined ? 'plain' : 'tinted'}`}
        style={tint === 'type' ? undefined : { '--strength': `${Math.round(100 * (strength ?? 0))}%` }}
        width={width}
        height={height}
        rx="4"
      />
      <text class="name" x={width / 2} y="17">
        {clip(main.name)}
      </text>
      <text class="type" x={width / 2} y="32">
        {clip(main.type)}
      </text>
      {inPlace.map((layer, index) => (
        <g
          key={layer.id}
          class="row"
          onClick={(event: MouseEvent) => {
            event.stopPropagation();
            onSelect(node.id, layer.name);
          }}
        >
          <rect
            class="row-box"
            x="1"
            y={headHeight + index * rowHeight}
            width={width - 2}
            height={rowHeight - 1}
          />
          <path class="rule" d={`M0 ${headHeight + index * rowHeight}h${width}`} />
          <text class="type" x={width / 2} y={headHeight + index * rowHeight + 14}>
            {clip(layer.type)}
          </text>
        </g>
      ))}
    </g>
  );
});

/** The drawing: boxes and arrows at a scale, in its own scrolling pane. */
export function Canvas(props: {
  drawing: Drawing;
  scale: number;
  tint: Tint;
  strengths: ReadonlyMap<number, number | undefined>;
  selected: number | undefined;
  found: ReadonlySet<number>;
  onSelect: (node: number, layer: string) => void;
}): JSX.Element {
  const { drawing, scale, tint, strengths, selected, found, onSelect } = props;
  // Arrows do not change with what is selected: there are many of them.
  const arrows = useMemo(
    () => drawing.edges.map((placed, index) => <Arrow key={index} placed={placed} />),
    [drawing],
  );
  return (
    <svg
      id="drawing"
      role="presentation"
      width={drawing.width * scale}
      height={drawing.height * scale}
      viewBox={`0 0 ${drawing.width} ${drawing.height}`}
    >
      <defs>
        <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
          <path class="arrowhead" d="M0 0L8 4L0 8z" />
        </marker>
      </defs>
      {arrows}
      {drawing.nodes.map((placed) => (
        <Box
          key={placed.node.id}
          placed={placed}
          tint={tint}
          strength={strengths.get(placed.node.id)}
          selected={selected === placed.node.id}
          found={found.has(placed.node.id)}
          onSelect={onSelect}
        />
      ))}
    </svg>
  );
}
