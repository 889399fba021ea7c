import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CaffeError } from '../../../src/caffe/errors';
import { decodeImage, type ColorMode, type Image } from '../../../src/data/image';
import { resize } from '../../../src/data/resize';
import { fixture } from './support';

interface Expected {
  file: string;
  mode: ColorMode;
  resize?: [number, number];
  crop?: [number, number];
  channels: number;
  height: number;
  width: number;
}

const cases = JSON.parse(readFileSync(fixture('images/images.json'), 'utf8')) as Expected[];
const pixels = new Uint8Array(readFileSync(fixture('images/images.bin')));
const read = (file: string) => new Uint8Array(readFileSync(fixture(`images/${file}`)));

const crop = (image: Image, height: number, width: number): Image => ({
  ...image,
  height,
  width,
  data: image.data.filter((_, i) => {
    const x = i % image.width;
    const y = Math.floor(i / image.width) % image.height;
    return x < width && y < height;
  }),
});

describe('against OpenCV 4.6', () => {
  let at = 0;
  for (const { file, mode, resize: size, crop: part, channels, height, width } of cases) {
    const data = pixels.subarray(at, (at += channels * height * width));
    it(`${file} as ${mode}${size ? ` resized to ${size.join(' x ')}` : ''}: every byte`, () => {
      let image = decodeImage(read(file), mode, file);
      if (part) image = crop(image, ...part);
      if (size) image = resize(image, ...size);
      expect(image).toEqual({ channels, height, width, data });
    });
  }
});

/** A JPEG of segments: marker and content; the length is written where it is due. */
const jpeg = (...segments: [marker: number, ...content: number[]][]) =>
  Uint8Array.from([
    ...[0xff, 0xd8],
    ...segments.flatMap(([marker, ...content]) => [0xff, marker, 0, content.length + 2, ...content]),
    ...[0xff, 0xd9],
  ]);
const frame = (height: number, width: number): [number, ...number[]] => [
  ...([0xc2, 8, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0] as const),
];

describe('decodeImage', () => {
  const png = (width: number, height: number) => {
    const bytes = read('rgb.png').slice();
    new DataView(bytes.buffer).setUint32(16, width);
    new DataView(bytes.buffer).setUint32(20, height);
    return bytes;
  };
  it.each<[string, Uint8Array, string]>([
    ['text', new TextEncoder().encode('P5 3 3 255'), 'neither a JPEG nor a PNG'],
    ['nothing', new Uint8Array(0), 'neither'],
    ['a huge PNG', png(60000, 60000), '60000 x 60000'],
    ['a PNG with less data than its size needs', png(33, 20), 'end too early'],
    ['a PNG cut short', read('rgb.png').slice(0, 700), 'cannot be decoded'],
    ['a few bytes that claim to be a huge JPEG', jpeg(frame(8192, 8192)), 'its data end too early'],
    ['a JPEG with a size without a width', jpeg([0xc0, 8, 0, 1]), 'a part of its header is too short'],
    ['a JPEG with half a quantization table', jpeg([0xdb, 0, 1, 2]), 'a part of its header is too short'],
    ['a JPEG with a scan of nothing', jpeg(frame(8, 8), [0xda]), 'a part of its header is too short'],
    ['a JPEG without a picture', read('420.jpg').slice(0, 40), 'cannot be decoded'],
  ])('refuses %s and names it', (_, bytes, message) => {
    const decode = () => decodeImage(bytes, 'color', 'list.txt line 3');
    expect(decode).toThrow(CaffeError);
    expect(decode).toThrow(message);
  });

  it('refuses a JPEG whose scans go over it again and again', () => {
    const table = (which: number, symbol: number): [number, ...number[]] => [
      ...([0xc4, which, 1] as const),
      ...Array<number>(15).fill(0),
      symbol,
    ];
    // Each scan says in fifteen bits (a 0, then fourteen ones) that the next 32767 blocks hold no more.
    const scan = [
      ...jpeg([0xda, 1, 1, 0, 1, 63, 0x10]).slice(2, -2),
      ...Array.from({ length: 16 }, () => [0x7f, 0xff, 0]).flat(),
    ];
    const head = jpeg([0xdb, 0, ...Array<number>(64).fill(1)], table(0x10, 0xe0), frame(4096, 4096));
    const bytes = Uint8Array.from([...head.slice(0, -2), ...Array.from({ length: 1000 }, () => scan).flat()]);
    expect(() => decodeImage(bytes, 'color', 'x')).toThrow('its 129 scans go over more blocks');
  });

  it('fills up a JPEG that was cut short, as libjpeg does', () => {
    const bytes = read('444.jpg');
    const whole = decodeImage(bytes, 'color', 'whole');
    const cut = decodeImage(bytes.slice(0, bytes.length - 200), 'color', 'cut');
    expect(cut.data.length).toBe(whole.data.length);
    expect(cut.data.subarray(0, 33 * 8)).toEqual(whole.data.subarray(0, 33 * 8));
    expect(cut.data).not.toEqual(whole.data);
  });

  it('never hangs nor fails in another way, whatever bytes change', () => {
    const files = [
      '420.jpg',
      'progressive.jpg',
      'restart.jpg',
      'cmyk.jpg',
      'palette.png',
      'rgb-alpha.png',
    ].map(read);
    fc.assert(
      fc.property(
        fc.constantFrom(...files),
        fc.constantFrom<ColorMode>('color', 'gray', 'native'),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        (file, mode, changes) => {
          const bytes = file.slice();
          for (const [position, value] of changes) bytes[position % bytes.length] = value;
          try {
            decodeImage(bytes, mode, 'x');
          } catch (error) {
            expect(error).toBeInstanceOf(CaffeError);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
