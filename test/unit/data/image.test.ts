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
    ['a JPEG without a picture', read('420.jpg').slice(0, 40), 'cannot be decoded'],
  ])('refuses %s and names it', (_, bytes, message) => {
    const decode = () => decodeImage(bytes, 'color', 'list.txt line 3');
    expect(decode).toThrow(CaffeError);
    expect(decode).toThrow(message);
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
