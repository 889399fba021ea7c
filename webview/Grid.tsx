import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon } from './controls';

export interface Column<Row> {
  key: string;
  title: string;
  /** A CSS grid track, such as `minmax(80px, 2fr)`. */
  track: string;
  numeric?: boolean;
  sortable?: boolean;
  /** Left out where the table is narrower than this many pixels. */
  from?: number;
  /** In place of the title, such as a checkbox for all rows. */
  header?: ComponentChildren;
  render: (row: Row) => ComponentChildren;
}

const rowHeight = 24;
/** Browsers draw no element much taller than this; longer tables are scrolled in proportion. */
const tallest = 8_000_000;

/**
 * A table that draws the rows in sight alone, so that a million of them are as quick as ten. It is one tab stop: arrow
 * keys, Home, End and Page keys move the active row, which is the selected one; other keys go to `onKey`.
 */
export function Grid<Row>(props: {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string | number;
  /** Index of the active row, or -1. */
  active: number;
  onActive: (index: number) => void;
  onKey?: (event: KeyboardEvent, row: Row) => void;
  /** Called with the rows that are in sight when they change. */
  onSight?: (rows: readonly Row[]) => void;
  sort?: { column: string; descending: boolean };
  onSort?: (column: string) => void;
  rowClass?: (row: Row) => string;
  /** Of the last row, by the columns' keys. */
  footer?: Record<string, ComponentChildren>;
  /** Shown where there is no row. */
  empty: ComponentChildren;
}): JSX.Element {
  const { rows, active, sort } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600, width: 600 });
  const columns = props.columns.filter(({ from = 0 }) => view.width >= from);
  const total = rows.length * rowHeight;
  const height = Math.min(total, tallest);
  const visible = Math.ceil(view.height / rowHeight);
  /** How many pixels of scrolling are one row. */
  const perRow = total <= tallest ? rowHeight : (height - view.height) / Math.max(1, rows.length - visible);
  const first = Math.max(0, Math.min(rows.length - 1, Math.floor(view.top / perRow) - 4));
  const last = Math.min(rows.length, Math.floor(view.top / perRow) + visible + 5);
  const template = columns.map(({ track }) => track).join(' ');

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() =>
      setView({
        top: element.scrollTop,
        height: Math.max(rowHeight, element.clientHeight - 2 * rowHeight),
        width: element.clientWidth,
      }),
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  useEffect(() => props.onSight?.(rows.slice(first, last)), [rows, first, last]);

  const reveal = (index: number) => {
    const element = scroller.current;
    if (!element || index < 0) return;
    const inView = element.clientHeight - rowHeight * (props.footer ? 2 : 1);
    const top = index * perRow;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + rowHeight > element.scrollTop + inView) element.scrollTop = top + rowHeight - inView;
  };
  useEffect(() => reveal(active), [active]);
  // Who sorts looks for the first rows, wherever the active one is now.
  const order = `${sort?.column}/${sort?.descending}`;
  useEffect(() => scroller.current?.scrollTo({ top: 0 }), [order]);

  const onKeyDown = (event: KeyboardEvent) => {
    const page = Math.max(1, visible - 2);
    const moves: Record<string, number> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + page,
      PageUp: active - page,
      Home: 0,
      End: rows.length - 1,
    };
    const isTyping = event.target instanceof HTMLInputElement && event.target.type === 'text';
    const target = isTyping ? undefined : moves[event.key];
    if (target !== undefined && rows.length > 0 && !event.altKey && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      props.onActive(Math.max(0, Math.min(rows.length - 1, target)));
    } else if (rows[active] !== undefined && !isTyping) {
      props.onKey?.(event, rows[active]);
    }
  };

  const drawn: JSX.Element[] = [];
  for (let index = first; index < last; index++) {
    const row = rows[index];
    drawn.push(
      <div
        key={props.rowKey(row)}
        id={`row-${index}`}
        role="row"
        aria-rowindex={index + 2}
        aria-selected={index === active}
        class={`row ${index === active ? 'active' : ''} ${props.rowClass?.(row) ?? ''}`}
        style={{
          gridTemplateColumns: template,
          transform: `translateY(${total <= tallest ? index * rowHeight : view.top + (index - view.top / perRow) * rowHeight}px)`,
        }}
        onMouseDown={() => props.onActive(index)}
      >
        {columns.map((column) => (
          <div key={column.key} role="gridcell" class={column.numeric ? 'cell numeric' : 'cell'}>
            {column.render(row)}
          </div>
        ))}
      </div>,
    );
  }

  return (
    <div
      class="grid"
      role="grid"
      aria-label={props.label}
      aria-rowcount={rows.length + 1}
      aria-colcount={columns.length}
      aria-activedescendant={active >= first && active < last ? `row-${active}` : undefined}
      tabIndex={0}
      ref={scroller}
      onScroll={(event) => setView({ ...view, top: event.currentTarget.scrollTop })}
      onKeyDown={onKeyDown}
    >
      <div role="row" class="row head" aria-rowindex={1} style={{ gridTemplateColumns: template }}>
        {columns.map((column) => (
          <div
            key={column.key}
            role="columnheader"
            class={column.numeric ? 'cell numeric' : 'cell'}
            aria-sort={
              !column.sortable
                ? undefined
                : sort?.column !== column.key
                  ? 'none'
                  : sort.descending
                    ? 'descending'
                    : 'ascending'
            }
          >
            {column.sortable ? (
              <button type="button" class="sort" onClick={() => props.onSort?.(column.key)}>
                {column.title}
                {sort?.column === column.key && <Icon name={sort.descending ? 'arrow-down' : 'arrow-up'} />}
              </button>
            ) : (
              (column.header ?? column.title)
            )}
          </div>
        ))}
      </div>
      <div class="rows" role="rowgroup" style={{ height: `${height}px` }}>
        {drawn}
        {rows.length === 0 && <div class="empty">{props.empty}</div>}
      </div>
      {props.footer && (
        <div role="row" class="row foot" style={{ gridTemplateColumns: template }}>
          {columns.map((column) => (
            <div key={column.key} role="gridcell" class={column.numeric ? 'cell numeric' : 'cell'}>
              {props.footer?.[column.key]}
            </div>
          ))}
        </div>
      )}
    </div>
  );
}
