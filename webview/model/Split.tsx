import type { ComponentChildren, JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';

/** Two panes side by side with a sash between them that can be dragged, or one above the other where it is narrow. */
export function Split(props: {
  label: string;
  children: [ComponentChildren, ComponentChildren];
}): JSX.Element {
  const [first, second] = props.children;
  const [share, setShare] = useState(58);
  const element = useRef<HTMLDivElement>(null);
  const move = (to: number) => setShare(Math.max(20, Math.min(80, to)));
  return (
    <div class="split" ref={element} style={{ '--share': `${share}%` }}>
      {first}
      <div
        class="sash"
        role="separator"
        aria-orientation="vertical"
        aria-label={props.label}
        aria-valuenow={Math.round(share)}
        aria-valuemin={20}
        aria-valuemax={80}
        tabIndex={0}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={(event) => {
          if (!event.currentTarget.hasPointerCapture(event.pointerId) || !element.current) return;
          const { left, width } = element.current.getBoundingClientRect();
          move((100 * (event.clientX - left)) / width);
        }}
        onKeyDown={(event) => {
          const step = { ArrowLeft: -2, ArrowRight: 2 }[event.key];
          if (step) move(share + step);
        }}
        onDblClick={() => setShare(58)}
      />
      {second}
    </div>
  );
}
