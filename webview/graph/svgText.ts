/** What a picture needs of a page's style to look the same without it. */
const properties = [
  'fill',
  'stroke',
  'stroke-width',
  'stroke-dasharray',
  'font-family',
  'font-size',
  'font-weight',
  'text-anchor',
] as const;

/**
 * A computed colour as every program for SVG reads it: `#rrggbb`, and an opacity of its own where it is not opaque. Browsers
 * give mixed colours as `color(srgb …)`. What is no colour stays.
 */
export function plainColour(value: string): { value: string; opacity?: number } {
  const [whole, kind, list] = /^(rgba?|color)\((.*)\)$/.exec(value) ?? [];
  if (whole === undefined || (kind === 'color' && !list.startsWith('srgb '))) return { value };
  const [red, green, blue, alpha = 1] = list.match(/-?[\d.]+(?:e-?\d+)?/g)!.map(Number);
  const scale = kind === 'color' ? 255 : 1;
  const hex = [red, green, blue].map((part) =>
    Math.max(0, Math.min(255, Math.round(part * scale)))
      .toString(16)
      .padStart(2, '0'),
  );
  return { value: `#${hex.join('')}`, ...(alpha < 1 ? { opacity: alpha } : {}) };
}

/** A drawing of the page as a file of its own: with the theme's colours written into it. */
export function svgText(drawing: SVGSVGElement): string {
  const copy = drawing.cloneNode(true) as SVGSVGElement;
  const originals = drawing.querySelectorAll<SVGElement>('*');
  const copies = copy.querySelectorAll<SVGElement>('*');
  originals.forEach((original, index) => {
    const style = getComputedStyle(original);
    const target = copies[index];
    for (const name of ['class', 'style', 'role', 'aria-label', 'aria-selected', 'tabindex'])
      target.removeAttribute(name);
    if (original.tagName !== 'g' && original.tagName !== 'title')
      for (const property of properties) {
        const { value, opacity } = plainColour(style.getPropertyValue(property));
        target.setAttribute(property, value);
        if (opacity !== undefined) target.setAttribute(`${property}-opacity`, String(opacity));
      }
  });
  const { width, height } = drawing.viewBox.baseVal;
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  copy.setAttribute('width', String(width));
  copy.setAttribute('height', String(height));
  copy.setAttribute('style', `background:${getComputedStyle(document.body).backgroundColor}`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(copy)}\n`;
}
