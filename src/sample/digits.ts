import { Random } from '../caffe/random';

/** Height and width of a picture, as in MNIST. */
export const digitSize = 28;

/** A picture of one digit: row by row, 0 paper to 255 ink. */
export interface Digit {
  label: number;
  pixels: Uint8Array;
}

/**
 * How people write the digits: for each digit some ways, each a list of strokes, each a row of points that the pen
 * passes (x0, y0, x1, y1, … in a unit square, y downwards). The pen goes through them in a smooth curve; a new
 * stroke makes a corner.
 */
const ways: readonly (readonly (readonly number[])[])[][] = [
  [
    [[0.5, 0, 0.16, 0.22, 0.1, 0.6, 0.42, 1, 0.82, 0.75, 0.88, 0.3, 0.5, 0]],
    [[0.62, 0.04, 0.25, 0.15, 0.12, 0.55, 0.35, 0.97, 0.75, 0.85, 0.85, 0.4, 0.55, 0.02, 0.3, 0.12]],
    [[0.45, 0, 0.28, 0.35, 0.3, 0.8, 0.5, 1, 0.68, 0.75, 0.66, 0.2, 0.45, 0]],
  ],
  [
    [[0.5, 0, 0.5, 0.5, 0.48, 1]],
    [
      [0.25, 0.25, 0.4, 0.15, 0.55, 0],
      [0.55, 0, 0.53, 0.5, 0.5, 1],
    ],
    [
      [0.25, 0.22, 0.55, 0],
      [0.55, 0, 0.53, 0.97],
      [0.2, 0.98, 0.85, 0.96],
    ],
  ],
  [
    [
      [0.1, 0.28, 0.25, 0.05, 0.65, 0.02, 0.82, 0.3, 0.5, 0.66, 0.08, 1],
      [0.08, 1, 0.5, 0.96, 0.95, 0.97],
    ],
    [[0.15, 0.2, 0.5, 0, 0.8, 0.22, 0.6, 0.6, 0.2, 0.95, 0.08, 0.85, 0.25, 0.76, 0.6, 0.95, 0.95, 0.88]],
    [
      [0.1, 0.1, 0.55, 0, 0.8, 0.25, 0.4, 0.75, 0.1, 0.95],
      [0.1, 0.95, 0.9, 0.92],
    ],
  ],
  [
    [[0.12, 0.12, 0.5, 0, 0.82, 0.2, 0.62, 0.42, 0.4, 0.47, 0.72, 0.52, 0.88, 0.75, 0.55, 1, 0.06, 0.9]],
    [
      [0.1, 0.05, 0.5, 0.03, 0.85, 0.03],
      [0.85, 0.03, 0.6, 0.25, 0.4, 0.42],
      [0.4, 0.42, 0.82, 0.5, 0.85, 0.82, 0.5, 1, 0.08, 0.92],
    ],
    [
      [0.2, 0.1, 0.6, 0, 0.8, 0.2, 0.45, 0.46],
      [0.45, 0.46, 0.85, 0.6, 0.75, 0.9, 0.4, 1, 0.1, 0.88],
    ],
  ],
  [
    [
      [0.22, 0.02, 0.15, 0.3, 0.12, 0.52],
      [0.12, 0.52, 0.5, 0.55, 0.92, 0.5],
      [0.76, 0.05, 0.72, 0.5, 0.68, 1],
    ],
    [
      [0.66, 0, 0.35, 0.35, 0.05, 0.66],
      [0.05, 0.66, 0.5, 0.66, 0.95, 0.62],
      [0.66, 0, 0.66, 0.5, 0.64, 1],
    ],
    [
      [0.2, 0.08, 0.15, 0.45, 0.4, 0.56, 0.75, 0.42],
      [0.82, 0.02, 0.75, 0.5, 0.7, 1],
    ],
  ],
  [
    [
      [0.88, 0.04, 0.5, 0.02, 0.25, 0.04],
      [0.25, 0.04, 0.2, 0.25, 0.17, 0.44],
      [0.17, 0.44, 0.5, 0.36, 0.85, 0.58, 0.75, 0.9, 0.4, 1, 0.08, 0.92],
    ],
    [
      [0.3, 0.05, 0.27, 0.25, 0.22, 0.42],
      [0.22, 0.42, 0.55, 0.38, 0.8, 0.65, 0.6, 0.97, 0.1, 0.96],
      [0.3, 0.05, 0.6, 0.04, 0.95, 0],
    ],
    [[0.85, 0.02, 0.4, 0.06, 0.25, 0.35, 0.55, 0.46, 0.75, 0.7, 0.55, 0.97, 0.12, 0.95]],
  ],
  [
    [[0.72, 0, 0.35, 0.22, 0.12, 0.65, 0.35, 0.98, 0.75, 0.9, 0.82, 0.65, 0.5, 0.52, 0.16, 0.74]],
    [[0.35, 0, 0.22, 0.4, 0.18, 0.8, 0.45, 1, 0.78, 0.84, 0.65, 0.6, 0.35, 0.66, 0.2, 0.82]],
    [[0.85, 0.05, 0.5, 0.08, 0.2, 0.45, 0.15, 0.8, 0.5, 1, 0.85, 0.8, 0.6, 0.55, 0.25, 0.65]],
  ],
  [
    [
      [0.06, 0.06, 0.5, 0.05, 0.9, 0.04],
      [0.9, 0.04, 0.6, 0.45, 0.42, 1],
    ],
    [
      [0.08, 0.1, 0.5, 0.06, 0.88, 0.05],
      [0.88, 0.05, 0.6, 0.5, 0.4, 1],
      [0.28, 0.52, 0.55, 0.5, 0.86, 0.5],
    ],
    [
      [0.1, 0.25, 0.12, 0.06],
      [0.12, 0.06, 0.5, 0.08, 0.85, 0.02],
      [0.85, 0.02, 0.75, 0.4, 0.65, 1],
    ],
  ],
  [
    [
      [
        0.76, 0.12, 0.45, 0, 0.2, 0.2, 0.48, 0.46, 0.82, 0.74, 0.5, 1, 0.16, 0.78, 0.45, 0.5, 0.78, 0.24, 0.7,
        0.08,
      ],
    ],
    [
      [0.5, 0, 0.22, 0.2, 0.5, 0.45, 0.78, 0.22, 0.5, 0],
      [0.5, 0.45, 0.14, 0.72, 0.5, 1, 0.86, 0.74, 0.5, 0.45],
    ],
    [[0.85, 0.05, 0.4, 0.05, 0.28, 0.28, 0.62, 0.56, 0.66, 0.86, 0.4, 1, 0.22, 0.82, 0.5, 0.5, 0.82, 0.1]],
  ],
  [
    [
      [0.82, 0.24, 0.55, 0, 0.18, 0.18, 0.25, 0.48, 0.6, 0.48, 0.82, 0.2],
      [0.82, 0.2, 0.8, 0.6, 0.7, 1],
    ],
    [[0.78, 0.15, 0.45, 0, 0.18, 0.25, 0.4, 0.5, 0.75, 0.3, 0.8, 0.2, 0.82, 0.65, 0.55, 0.98, 0.15, 0.9]],
    [
      [0.7, 0.06, 0.35, 0.04, 0.2, 0.3, 0.5, 0.46, 0.74, 0.22],
      [0.74, 0.06, 0.7, 0.5, 0.72, 1],
    ],
  ],
];

/**
 * Pictures of handwritten-looking digits, as hard to tell apart as MNIST's: each is a way to write the digit with
 * its points displaced, bent by a smooth field (the elastic distortion of Simard et al. 2003, applied to the pen's
 * path), slanted, turned and stretched, drawn with a pen of its own width, scaled into 20 x 20 pixels and centred
 * by its ink, as MNIST was. Labels are uniform. Equal seeds give equal pictures.
 */
export function* digits(count: number, seed: number): Generator<Digit, void> {
  const random = new Random(seed);
  for (let i = 0; i < count; i++) {
    const label = random.below(10);
    yield { label, pixels: draw(path(label, random), random) };
  }
}

const between = (random: Random, low: number, high: number) => low + (high - low) * random.unit();

/** Points on the pen's path close to each other: x, y and whether the pen comes to it on the paper. */
type Path = { x: number; y: number; down: boolean }[];

/** One person's path of the pen for a digit, in units of the digit's height, placed anyhow. */
function path(label: number, random: Random): Path {
  const way = ways[label][random.below(ways[label].length)];
  const unsteady = between(random, 0.012, 0.05);
  const points: Path = [];
  for (const stroke of way) {
    const displaced = stroke.map((value) => value + unsteady * random.normal());
    points.push(...smooth(displaced));
  }

  const slant = 0.18 + 0.28 * random.normal();
  const turn = 0.12 * random.normal();
  const width = between(random, 0.55, 1.05);
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  const bend = elasticField(random);
  return points.map(({ x, y, down }) => {
    const [dx, dy] = bend(x, y);
    const u = (x + dx - 0.5) * width - slant * (y + dy - 0.5);
    const v = y + dy - 0.5;
    return { x: cos * u - sin * v, y: sin * u + cos * v, down };
  });
}

/** Points on a Catmull-Rom curve through those of a stroke. */
function smooth(stroke: readonly number[]): Path {
  const last = stroke.length / 2 - 1;
  const steps = 8;
  const at = (i: number, axis: number) => stroke[2 * Math.min(Math.max(i, 0), last) + axis];
  const points: Path = [{ x: stroke[0], y: stroke[1], down: false }];
  for (let i = 0; i < last; i++) {
    for (let step = 1; step <= steps; step++) {
      const t = step / steps;
      const [x, y] = [0, 1].map((axis) => {
        const [a, b, c, d] = [at(i - 1, axis), at(i, axis), at(i + 1, axis), at(i + 2, axis)];
        return (
          b +
          0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
        );
      });
      points.push({ x, y, down: true });
    }
  }
  return points;
}

/** A smooth random displacement of the plane: a few waves, each longer than half the digit. */
function elasticField(random: Random): (x: number, y: number) => [number, number] {
  const waves = Array.from({ length: 4 }, () => ({
    kx: 5 * random.normal(),
    ky: 5 * random.normal(),
    phase: between(random, 0, 2 * Math.PI),
    dx: 0.035 * random.normal(),
    dy: 0.035 * random.normal(),
  }));
  return (x, y) => {
    let [dx, dy] = [0, 0];
    for (const wave of waves) {
      const sine = Math.sin(wave.kx * x + wave.ky * y + wave.phase);
      dx += wave.dx * sine;
      dy += wave.dy * sine;
    }
    return [dx, dy];
  };
}

/** Draws a path with an anti-aliased pen into a picture; the box of the digit is 20 pixels wide or high. */
function draw(points: Path, random: Random): Uint8Array {
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  const extent = Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys), 1e-6);
  const radius = between(random, 0.7, 1.9);
  const scale = (20 - 2 * radius) / extent;
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [centreX, centreY] = [mean(xs), mean(ys)];
  const toPixel = (value: number, centre: number) => (value - centre) * scale + (digitSize - 1) / 2;

  const pixels = new Uint8Array(digitSize * digitSize);
  const strength = between(random, 200, 255);
  /** Ink fades over this many pixels at the pen's edge. */
  const edge = between(random, 0.8, 1.4);
  for (let i = 0; i < points.length; i++) {
    const to = points[i];
    const from = to.down ? points[i - 1] : to;
    const [ax, ay] = [toPixel(from.x, centreX), toPixel(from.y, centreY)];
    const [bx, by] = [toPixel(to.x, centreX) - ax, toPixel(to.y, centreY) - ay];
    const length2 = bx * bx + by * by;
    const reach = radius + edge;
    const low = (a: number, b: number) => Math.max(0, Math.ceil(Math.min(a, a + b) - reach));
    const high = (a: number, b: number) => Math.min(digitSize - 1, Math.floor(Math.max(a, a + b) + reach));
    for (let y = low(ay, by); y <= high(ay, by); y++) {
      for (let x = low(ax, bx); x <= high(ax, bx); x++) {
        const along = length2 > 0 ? Math.min(1, Math.max(0, ((x - ax) * bx + (y - ay) * by) / length2)) : 0;
        const distance = Math.hypot(x - ax - along * bx, y - ay - along * by);
        const ink = Math.min(1, Math.max(0, (radius - distance) / edge + 0.5));
        const value = Math.round(strength * ink);
        if (value > pixels[y * digitSize + x]) pixels[y * digitSize + x] = value;
      }
    }
  }
  return pixels;
}
