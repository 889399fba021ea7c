import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

export interface Size {
  width: number;
  height: number;
}

/** Size of an element in CSS pixels, kept up to date. */
export function useSize(element: RefObject<HTMLElement>): Size {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    if (!element.current) return undefined;
    const observer = new ResizeObserver(([entry]) => {
      const { width, height } = entry.contentRect;
      setSize({ width: Math.floor(width), height: Math.floor(height) });
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return size;
}

/** Makes the canvas as sharp as the screen and hands out its context, scaled to CSS pixels and cleared. */
export function prepareCanvas(canvas: HTMLCanvasElement, { width, height }: Size): CanvasRenderingContext2D {
  const ratio = devicePixelRatio;
  const [deviceWidth, deviceHeight] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== deviceWidth || canvas.height !== deviceHeight) {
    canvas.width = deviceWidth;
    canvas.height = deviceHeight;
  }
  const context = canvas.getContext('2d')!;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/** Colours of the theme, by what they are for. */
export interface Palette {
  text: string;
  muted: string;
  grid: string;
  bar: string;
  pruned: string;
  before: string;
  threshold: string;
  focus: string;
  background: string;
  positive: string;
  negative: string;
  /** Of lines that are to be told apart. */
  series: string[];
}

function readPalette(): Palette {
  const style = getComputedStyle(document.body);
  const color = (...names: string[]) =>
    names.map((name) => style.getPropertyValue(name).trim()).find((value) => value !== '') ?? '#888';
  return {
    text: color('--vscode-foreground'),
    muted: color('--vscode-descriptionForeground', '--vscode-foreground'),
    grid: color('--chart-grid'),
    bar: color('--chart-bar'),
    pruned: color('--chart-pruned'),
    before: color('--chart-before'),
    threshold: color('--chart-threshold'),
    focus: color('--vscode-focusBorder'),
    background: color('--vscode-editor-background'),
    positive: color('--chart-positive'),
    negative: color('--chart-negative'),
    series: ['blue', 'yellow', 'green', 'purple', 'red', 'orange'].map((name) =>
      opaque(color(`--vscode-charts-${name}`, '--vscode-foreground')),
    ),
  };
}

/** The theme's colours for use on a canvas; the component renders again when the theme changes. */
export function usePalette(): Palette {
  const [palette, setPalette] = useState(readPalette);
  const frame = useRef(0);
  useEffect(() => {
    const observer = new MutationObserver(() => {
      cancelAnimationFrame(frame.current);
      frame.current = requestAnimationFrame(() => setPalette(readPalette()));
    });
    // VS Code writes the theme into the root's style and the body's class.
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style'] });
    observer.observe(document.body, { attributes: true, attributeFilter: ['class'] });
    return () => observer.disconnect();
  }, []);
  return palette;
}

/** Themes give some colours of charts for large areas, half transparent: too faint for a line. */
const opaque = (color: string): string => `rgb(${rgbOf(color).join()})`;

/** Red, green, blue of a CSS colour, 0..255. */
export function rgbOf(color: string): [number, number, number] {
  const context = new OffscreenCanvas(1, 1).getContext('2d')!;
  context.fillStyle = color;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
  return [red, green, blue];
}
