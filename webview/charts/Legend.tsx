import type { JSX } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { t } from '../l10n';
import { type Line, type LineStyle, nextLine } from './lines';

/** From so many lines on the legend is a list of its own, which scrolls beside the chart. */
export const manyLines = 9;

/**
 * The names of the lines, each with its style and its value where the chart is read. It is one tab stop: arrow keys, Home
 * and End choose a line, which is lit up in the chart, Escape none; so does the mouse.
 */
export function Legend(props: {
  lines: readonly Line[];
  styles: readonly LineStyle[];
  /** Index of the line that is lit up, or -1. */
  lit: number;
  /** Index of the line that was chosen, or -1. */
  chosen: number;
  values: readonly (string | undefined)[];
  onChoose: (index: number) => void;
  onHover: (index: number) => void;
}): JSX.Element {
  const { lines, styles, lit, chosen, values, onChoose, onHover } = props;
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  useEffect(() => {
    // The one that is lit up by the chart comes into sight; the page itself does not move.
    const item = list.current?.children[lit] as HTMLElement | undefined;
    if (!list.current || !item) return;
    const { scrollTop, clientHeight } = list.current;
    if (item.offsetTop < scrollTop) list.current.scrollTop = item.offsetTop;
    const below = item.offsetTop + item.offsetHeight - clientHeight;
    if (below > scrollTop) list.current.scrollTop = below;
  }, [lit]);
  return (
    <div
      ref={list}
      class={lines.length < manyLines ? 'legend' : 'legend many'}
      role="listbox"
      aria-label={t('Lines')}
      tabIndex={0}
      aria-activedescendant={chosen < 0 ? undefined : `${id}-${chosen}`}
      onMouseLeave={() => onHover(-1)}
      onKeyDown={(event) => {
        const next = nextLine(event.key, chosen, lines.length);
        if (next === undefined) return;
        event.preventDefault();
        onChoose(next);
      }}
    >
      {lines.map(({ name }, i) => (
        <span
          key={name}
          id={`${id}-${i}`}
          role="option"
          aria-selected={i === chosen}
          class={i === lit ? 'lit' : lit >= 0 ? 'dim' : ''}
          title={name}
          onMouseEnter={() => onHover(i)}
          onClick={() => onChoose(i === chosen ? -1 : i)}
        >
          <svg width="22" height="8" aria-hidden="true">
            <line
              x1="0"
              y1="4"
              x2="22"
              y2="4"
              stroke={styles[i].color}
              stroke-width="2"
              stroke-dasharray={styles[i].dash.join(' ')}
            />
          </svg>
          <span>{name}</span>
          <b>{values[i]}</b>
        </span>
      ))}
    </div>
  );
}
