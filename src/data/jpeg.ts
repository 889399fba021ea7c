import { CaffeError } from '../caffe/errors';
import { phrase } from '../phrase';
import type { ColorMode, Image } from './image';

/*
 * A JPEG decoder (ITU T.81: baseline, extended and progressive Huffman, 8 bits) that gives the bytes libjpeg-turbo gives
 * with its defaults, as OpenCV uses it: the "islow" integer inverse DCT, "fancy" (triangle) upsampling of colour and
 * fixed-point colour conversion. A file that ends early is filled up as libjpeg does it.
 */

interface Component {
  id: number;
  /** Sampling factors. */
  h: number;
  v: number;
  quantization: number;
  /** Blocks of 8×8 in a row and in a column, filled up to whole MCUs. */
  blocksWide: number;
  blocksHigh: number;
  /** Samples that belong to the image. */
  width: number;
  height: number;
  /** 64 coefficients for each block, in natural order. */
  coefficients: Int16Array;
  dcTable: number;
  acTable: number;
  /** DC prediction of the running scan. */
  predicted: number;
}

interface Frame {
  width: number;
  height: number;
  progressive: boolean;
  components: Component[];
  maxH: number;
  maxV: number;
}

interface HuffmanTable {
  /** For each code length 1..16 the largest code, and what to add to a code to find its value's index. */
  maxCode: Int32Array;
  offset: Int32Array;
  values: Uint8Array;
  /** For the next 8 bits: length << 8 | value, or 0 where the code is longer. */
  quick: Uint16Array;
}

interface Scan {
  components: Component[];
  spectralStart: number;
  spectralEnd: number;
  successiveHigh: number;
  successiveLow: number;
}

/** Position in natural order of the i-th coefficient in zigzag order. */
const ZIGZAG = Uint8Array.from(
  [
    [
      0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6,
      7, 14, 21,
    ],
    [
      28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53,
      60, 61,
    ],
    [54, 47, 55, 62, 63],
  ].flat(),
);

/**
 * A progressive file refines its coefficients in many scans, each of which may go over the whole image in a few bytes:
 * the largest image with ten of them keeps below this, and what goes over more blocks is an attack.
 */
const MAX_BLOCKS = 2 ** 25;

/** @throws CaffeError when the file is damaged, of a kind that is not taken, or has more than `maxPixels` */
export function decodeJpeg(bytes: Uint8Array, mode: ColorMode, maxPixels: number): Image {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const quantization: (Uint16Array | undefined)[] = [];
  const dcTables: (HuffmanTable | undefined)[] = [];
  const acTables: (HuffmanTable | undefined)[] = [];
  let frame: Frame | undefined;
  let restartInterval = 0;
  let adobeTransform: number | undefined;
  let isJfif = false;
  let scans = 0;
  let blocksLeft = MAX_BLOCKS;

  let at = 2;
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff || bytes[at + 1] === 0xff || bytes[at + 1] === 0) {
      at++;
      continue;
    }
    const marker = bytes[at + 1];
    at += 2;
    if (marker === 0xd9) break;
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) continue;
    const end = at + view.getUint16(at);
    if (end < at + 2 || end > bytes.length) {
      if (frame !== undefined && scans > 0) break;
      throw new CaffeError(phrase`it ends within its header`);
    }
    const segment = new DataView(bytes.buffer, bytes.byteOffset + at + 2, end - at - 2);
    at = end;
    if (marker === 0xdb) readQuantization(segment, quantization);
    else if (marker === 0xc4) readHuffman(segment, dcTables, acTables);
    else if (marker === 0xdd) {
      requireLength(segment, 2);
      restartInterval = segment.getUint16(0);
    } else if (marker === 0xe0) isJfif ||= segment.byteLength >= 5 && segment.getUint32(0) === 0x4a464946;
    else if (marker === 0xee) {
      if (segment.byteLength >= 12 && segment.getUint32(0) === 0x41646f62)
        adobeTransform = segment.getUint8(11);
    } else if (marker === 0xc0 || marker === 0xc1 || marker === 0xc2) {
      if (frame !== undefined) throw new CaffeError(phrase`it has two frames`);
      frame = readFrame(segment, marker === 0xc2, maxPixels, 8 * bytes.length);
    } else if (marker > 0xc2 && marker <= 0xcf && marker !== 0xcc) {
      throw new CaffeError(phrase`it is lossless or arithmetically coded`);
    } else if (marker === 0xda) {
      if (frame === undefined) throw new CaffeError(phrase`its data come before its size`);
      scans++;
      const scan = readScanHeader(segment, frame);
      blocksLeft -= blocksOf(scan.components);
      if (blocksLeft < 0)
        throw new CaffeError(phrase`its ${scans} scans go over more blocks than an image has`);
      at = decodeScan(bytes, at, frame, scan, restartInterval, dcTables, acTables);
    }
  }
  if (frame === undefined || scans === 0) throw new CaffeError(phrase`it holds no picture`);
  const planes = frame.components.map((component) => {
    const table = quantization[component.quantization];
    if (table === undefined)
      throw new CaffeError(phrase`quantization table ${component.quantization} is missing`);
    return reconstruct(component, table);
  });
  return toImage(frame, planes, colorSpace(frame, isJfif, adobeTransform), mode);
}

const blocksOf = (components: readonly Pick<Component, 'blocksWide' | 'blocksHigh'>[]) =>
  components.reduce((sum, { blocksWide, blocksHigh }) => sum + blocksWide * blocksHigh, 0);

/** @throws CaffeError when a segment is shorter than what it must hold */
function requireLength(segment: DataView, length: number): void {
  if (segment.byteLength < length) throw new CaffeError(phrase`a part of its header is too short`);
}

function readQuantization(segment: DataView, tables: (Uint16Array | undefined)[]): void {
  for (let at = 0; at < segment.byteLength;) {
    const which = segment.getUint8(at++);
    const wide = which >> 4 !== 0;
    requireLength(segment, at + (wide ? 128 : 64));
    const table = new Uint16Array(64);
    for (let i = 0; i < 64; i++, at += wide ? 2 : 1) {
      table[ZIGZAG[i]] = wide ? segment.getUint16(at) : segment.getUint8(at);
    }
    tables[which & 15] = table;
  }
}

function readHuffman(
  segment: DataView,
  dcTables: (HuffmanTable | undefined)[],
  acTables: (HuffmanTable | undefined)[],
): void {
  for (let at = 0; at + 17 <= segment.byteLength;) {
    const which = segment.getUint8(at);
    const counts = Array.from({ length: 16 }, (_, i) => segment.getUint8(at + 1 + i));
    const total = counts.reduce((sum, count) => sum + count, 0);
    if (total > 256 || at + 17 + total > segment.byteLength)
      throw new CaffeError(phrase`a Huffman table is damaged`);
    const values = new Uint8Array(segment.buffer, segment.byteOffset + at + 17, total).slice();
    (which >> 4 === 0 ? dcTables : acTables)[which & 15] = huffmanTable(counts, values);
    at += 17 + total;
  }
}

function huffmanTable(counts: readonly number[], values: Uint8Array): HuffmanTable {
  const maxCode = new Int32Array(18).fill(-1);
  const offset = new Int32Array(17);
  const quick = new Uint16Array(256);
  let code = 0;
  let index = 0;
  for (let length = 1; length <= 16; length++) {
    offset[length] = index - code;
    for (let i = 0; i < counts[length - 1]; i++, code++, index++) {
      if (code >= 1 << length) throw new CaffeError(phrase`a Huffman table is damaged`);
      if (length <= 8) {
        const first = code << (8 - length);
        quick.fill((length << 8) | values[index], first, first + (1 << (8 - length)));
      }
    }
    if (counts[length - 1] > 0) maxCode[length] = code - 1;
    code <<= 1;
  }
  return { maxCode, offset, values, quick };
}

/** @param maxBlocks of all components: a block takes a bit at least, so that a short file cannot claim a large image */
function readFrame(segment: DataView, progressive: boolean, maxPixels: number, maxBlocks: number): Frame {
  requireLength(segment, 6);
  const precision = segment.getUint8(0);
  const height = segment.getUint16(1);
  const width = segment.getUint16(3);
  const count = segment.getUint8(5);
  if (precision !== 8) throw new CaffeError(phrase`it has ${precision} bits for a sample`);
  if (width === 0 || height === 0 || width * height > maxPixels) {
    throw new CaffeError(phrase`an image of ${width} x ${height} pixels is not taken`);
  }
  if (count !== 1 && count !== 3 && count !== 4) throw new CaffeError(phrase`it has ${count} components`);
  requireLength(segment, 6 + 3 * count);
  const described = Array.from({ length: count }, (_, i) => {
    const sampling = segment.getUint8(7 + 3 * i);
    return {
      id: segment.getUint8(6 + 3 * i),
      h: sampling >> 4,
      v: sampling & 15,
      quantization: segment.getUint8(8 + 3 * i),
    };
  });
  if (described.some(({ h, v }) => h < 1 || h > 4 || v < 1 || v > 4))
    throw new CaffeError(phrase`a sampling factor is wrong`);
  const maxH = Math.max(...described.map(({ h }) => h));
  const maxV = Math.max(...described.map(({ v }) => v));
  const sized = described.map((component) => {
    const blocksWide = Math.ceil(width / (8 * maxH)) * component.h;
    const blocksHigh = Math.ceil(height / (8 * maxV)) * component.v;
    return {
      ...component,
      blocksWide,
      blocksHigh,
      width: Math.ceil((width * component.h) / maxH),
      height: Math.ceil((height * component.v) / maxV),
    };
  });
  if (blocksOf(sized) > maxBlocks) throw new CaffeError(phrase`its data end too early`);
  const components = sized.map((component) => ({
    ...component,
    coefficients: new Int16Array(component.blocksWide * component.blocksHigh * 64),
    dcTable: 0,
    acTable: 0,
    predicted: 0,
  }));
  return { width, height, progressive, components, maxH, maxV };
}

function readScanHeader(segment: DataView, frame: Frame): Scan {
  requireLength(segment, 1);
  const count = segment.getUint8(0);
  if (count < 1 || count > 4) throw new CaffeError(phrase`a scan has no components`);
  requireLength(segment, 4 + 2 * count);
  const components = Array.from({ length: count }, (_, i) => {
    const id = segment.getUint8(1 + 2 * i);
    const component = frame.components.find((candidate) => candidate.id === id);
    if (component === undefined) throw new CaffeError(phrase`a scan names the unknown component ${id}`);
    const tables = segment.getUint8(2 + 2 * i);
    component.dcTable = tables >> 4;
    component.acTable = tables & 15;
    return component;
  });
  const start = segment.getUint8(1 + 2 * count);
  const end = segment.getUint8(2 + 2 * count);
  const successive = segment.getUint8(3 + 2 * count);
  if (!frame.progressive) {
    return { components, spectralStart: 0, spectralEnd: 63, successiveHigh: 0, successiveLow: 0 };
  }
  if (start > end || end > 63 || (start > 0 && count > 1) || (start === 0 && end > 0)) {
    throw new CaffeError(phrase`a progressive scan is damaged`);
  }
  return {
    components,
    spectralStart: start,
    spectralEnd: end,
    successiveHigh: successive >> 4,
    successiveLow: successive & 15,
  };
}

/** Thrown by the bit reader at a marker or the end of the file. */
const NO_MORE_BITS = Symbol('no more bits');

/** The bits of the entropy-coded data from `at` on, up to the next marker. */
class BitReader {
  private bits = 0;
  private count = 0;

  constructor(
    private readonly bytes: Uint8Array,
    public at: number,
  ) {}

  private fill(): void {
    while (this.count <= 16 && this.at < this.bytes.length) {
      const byte = this.bytes[this.at];
      if (byte === 0xff) {
        // A byte 0xff is followed by a zero; anything else is a marker.
        if (this.bytes[this.at + 1] !== 0) return;
        this.at++;
      }
      this.at++;
      this.bits = (this.bits << 8) | byte;
      this.count += 8;
    }
  }

  receive(length: number): number {
    if (length === 0) return 0;
    if (this.count < length) {
      this.fill();
      if (this.count < length) throw NO_MORE_BITS;
    }
    this.count -= length;
    const value = (this.bits >>> this.count) & ((1 << length) - 1);
    this.bits &= (1 << this.count) - 1;
    return value;
  }

  /** A number of `length` bits with its sign (T.81, F.2.2.1). */
  receiveSigned(length: number): number {
    const value = this.receive(length);
    return length > 0 && value < 1 << (length - 1) ? value - (1 << length) + 1 : value;
  }

  decode(table: HuffmanTable): number {
    if (this.count < 16) this.fill();
    if (this.count >= 8) {
      const quick = table.quick[(this.bits >>> (this.count - 8)) & 0xff];
      if (quick !== 0) {
        this.count -= quick >> 8;
        this.bits &= (1 << this.count) - 1;
        return quick & 0xff;
      }
    }
    let code = 0;
    for (let length = 1; length <= 16; length++) {
      code = (code << 1) | this.receive(1);
      if (code <= table.maxCode[length]) return table.values[code + table.offset[length]];
    }
    return 0;
  }

  /** Goes to the next marker and, when it is a restart marker, past it. */
  restart(): boolean {
    this.bits = 0;
    this.count = 0;
    this.at = nextMarker(this.bytes, this.at);
    const marker = this.bytes[this.at + 1];
    if (!(marker >= 0xd0 && marker <= 0xd7)) return false;
    this.at += 2;
    return true;
  }
}

function nextMarker(bytes: Uint8Array, from: number): number {
  for (let at = from; at + 1 < bytes.length; at++) {
    if (bytes[at] === 0xff && bytes[at + 1] !== 0 && bytes[at + 1] !== 0xff) return at;
  }
  return bytes.length;
}

/** Decodes the entropy-coded data of one scan and returns where they end. */
function decodeScan(
  bytes: Uint8Array,
  start: number,
  frame: Frame,
  scan: Scan,
  restartInterval: number,
  dcTables: readonly (HuffmanTable | undefined)[],
  acTables: readonly (HuffmanTable | undefined)[],
): number {
  const reader = new BitReader(bytes, start);
  const decodeBlock = blockDecoder(reader, frame, scan, dcTables, acTables);

  // A scan of one component goes over the blocks that the image touches; one of several, over whole MCUs.
  const single = scan.components.length === 1 ? scan.components[0] : undefined;
  const unitsWide = single ? Math.ceil(single.width / 8) : Math.ceil(frame.width / (8 * frame.maxH));
  const unitsHigh = single ? Math.ceil(single.height / 8) : Math.ceil(frame.height / (8 * frame.maxV));
  const units = unitsWide * unitsHigh;
  const interval = restartInterval > 0 ? restartInterval : units;

  for (let first = 0; first < units; first += interval) {
    if (first > 0 && !reader.restart()) break;
    for (const component of scan.components) component.predicted = 0;
    decodeBlock.reset();
    try {
      for (let unit = first; unit < Math.min(first + interval, units); unit++) {
        const row = Math.floor(unit / unitsWide);
        const column = unit % unitsWide;
        if (single !== undefined) {
          decodeBlock.run(single, (row * single.blocksWide + column) * 64);
          continue;
        }
        for (const component of scan.components) {
          for (let v = 0; v < component.v; v++) {
            for (let h = 0; h < component.h; h++) {
              const block = (row * component.v + v) * component.blocksWide + column * component.h + h;
              decodeBlock.run(component, block * 64);
            }
          }
        }
      }
    } catch (reason) {
      // What is missing stays zero.
      if (reason !== NO_MORE_BITS) throw reason;
    }
  }
  return nextMarker(bytes, reader.at);
}

/** The decoder for the blocks of a scan (T.81, annexes F and G); `reset` begins a restart interval. */
function blockDecoder(
  reader: BitReader,
  frame: Frame,
  scan: Scan,
  dcTables: readonly (HuffmanTable | undefined)[],
  acTables: readonly (HuffmanTable | undefined)[],
) {
  const { spectralStart, spectralEnd, successiveHigh, successiveLow } = scan;
  /** Blocks left that have no more coefficients in this band. */
  let endOfBand = 0;
  const table = (tables: readonly (HuffmanTable | undefined)[], which: number) => {
    const found = tables[which];
    if (found === undefined) throw new CaffeError(phrase`Huffman table ${which} is missing`);
    return found;
  };

  const dc = (component: Component, at: number) => {
    component.predicted += reader.receiveSigned(reader.decode(table(dcTables, component.dcTable)) & 15);
    component.coefficients[at] = component.predicted << successiveLow;
  };

  const baseline = (component: Component, at: number) => {
    dc(component, at);
    const huffman = table(acTables, component.acTable);
    for (let k = 1; k < 64; k++) {
      const symbol = reader.decode(huffman);
      const size = symbol & 15;
      k += symbol >> 4;
      if (size === 0) {
        if (symbol !== 0xf0) return;
        continue;
      }
      const value = reader.receiveSigned(size);
      if (k < 64) component.coefficients[at + ZIGZAG[k]] = value;
    }
  };

  const acFirst = (component: Component, at: number) => {
    if (endOfBand > 0) {
      endOfBand--;
      return;
    }
    const huffman = table(acTables, component.acTable);
    for (let k = spectralStart; k <= spectralEnd; k++) {
      const symbol = reader.decode(huffman);
      const run = symbol >> 4;
      const size = symbol & 15;
      if (size === 0 && run < 15) {
        endOfBand = (1 << run) - 1 + reader.receive(run);
        return;
      }
      k += run;
      const value = reader.receiveSigned(size);
      if (size > 0 && k < 64) component.coefficients[at + ZIGZAG[k]] = value << successiveLow;
    }
  };

  const acRefine = (component: Component, at: number) => {
    const { coefficients } = component;
    const bit = 1 << successiveLow;
    const refine = (position: number) => {
      const value = coefficients[position];
      if (reader.receive(1) === 1 && (value & bit) === 0)
        coefficients[position] = value + (value > 0 ? bit : -bit);
    };
    let k = spectralStart;
    if (endOfBand === 0) {
      const huffman = table(acTables, component.acTable);
      for (; k <= spectralEnd; k++) {
        const symbol = reader.decode(huffman);
        let run = symbol >> 4;
        let fresh = 0;
        if ((symbol & 15) !== 0) fresh = reader.receive(1) === 1 ? bit : -bit;
        else if (run < 15) {
          endOfBand = (1 << run) + reader.receive(run);
          break;
        }
        for (; k <= spectralEnd; k++) {
          const position = at + ZIGZAG[k];
          if (coefficients[position] !== 0) refine(position);
          else if (--run < 0) {
            if (fresh !== 0) coefficients[position] = fresh;
            break;
          }
        }
      }
    }
    if (endOfBand > 0) {
      for (; k <= spectralEnd; k++) if (coefficients[at + ZIGZAG[k]] !== 0) refine(at + ZIGZAG[k]);
      endOfBand--;
    }
  };

  const dcRefine = (component: Component, at: number) => {
    if (reader.receive(1) === 1) component.coefficients[at] |= 1 << successiveLow;
  };

  const choose = () => {
    if (!frame.progressive) return baseline;
    if (spectralStart === 0) return successiveHigh === 0 ? dc : dcRefine;
    return successiveHigh === 0 ? acFirst : acRefine;
  };
  return { run: choose(), reset: () => void (endOfBand = 0) };
}

interface Plane {
  /** Bytes from a row to the next. */
  stride: number;
  samples: Uint8Array;
}

/** The samples of a component: dequantized and transformed back, block by block. */
function reconstruct(component: Component, quantization: Uint16Array): Plane {
  const stride = component.blocksWide * 8;
  const samples = new Uint8ClampedArray(stride * component.blocksHigh * 8);
  const workspace = new Int32Array(64);
  for (let row = 0; row < component.blocksHigh; row++) {
    for (let column = 0; column < component.blocksWide; column++) {
      const block = (row * component.blocksWide + column) * 64;
      inverseDct(
        component.coefficients,
        block,
        quantization,
        workspace,
        samples,
        row * 8 * stride + column * 8,
        stride,
      );
    }
  }
  return { stride, samples: new Uint8Array(samples.buffer) };
}

/**
 * The inverse DCT of Loeffler, Ligtenberg and Moschytz (ICASSP 1989) with 13 bits of fraction and 2 more between its
 * passes, as libjpeg's jidctint.c has it: columns, then rows.
 */
function inverseDct(
  coefficients: Int16Array,
  block: number,
  quantization: Uint16Array,
  workspace: Int32Array,
  samples: Uint8ClampedArray,
  target: number,
  stride: number,
): void {
  for (let i = 0; i < 8; i++) {
    const value = (row: number) => coefficients[block + row * 8 + i] * quantization[row * 8 + i];
    butterfly(value(0), value(1), value(2), value(3), value(4), value(5), value(6), value(7));
    for (let k = 0; k < 8; k++) workspace[k * 8 + i] = (result[k] + (1 << 10)) >> 11;
  }
  for (let i = 0; i < 64; i += 8) {
    const w = workspace;
    butterfly(w[i], w[i + 1], w[i + 2], w[i + 3], w[i + 4], w[i + 5], w[i + 6], w[i + 7]);
    const row = target + (i >> 3) * stride;
    for (let k = 0; k < 8; k++) samples[row + k] = ((result[k] + (1 << 17)) >> 18) + 128;
  }
}

const result = new Int32Array(8);

/** One pass over eight values, scaled by 2^13, into {@link result}. */
function butterfly(
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  c4: number,
  c5: number,
  c6: number,
  c7: number,
): void {
  // Even part: rotation by sqrt(2) * c6. The numbers are cosines times 2^13.
  const rotated = (c2 + c6) * 4433;
  const even2 = rotated - c6 * 15137;
  const even3 = rotated + c2 * 6270;
  const even0 = (c0 + c4) * 8192;
  const even1 = (c0 - c4) * 8192;

  const sum17 = (c7 + c1) * -7373;
  const sum35 = (c5 + c3) * -20995;
  const all = (c7 + c3 + c5 + c1) * 9633;
  const sum37 = (c7 + c3) * -16069 + all;
  const sum15 = (c5 + c1) * -3196 + all;
  const odd0 = c7 * 2446 + sum17 + sum37;
  const odd1 = c5 * 16819 + sum35 + sum15;
  const odd2 = c3 * 25172 + sum35 + sum37;
  const odd3 = c1 * 12299 + sum17 + sum15;

  result[0] = even0 + even3 + odd3;
  result[7] = even0 + even3 - odd3;
  result[1] = even1 + even2 + odd2;
  result[6] = even1 + even2 - odd2;
  result[2] = even1 - even2 + odd1;
  result[5] = even1 - even2 - odd1;
  result[3] = even0 - even3 + odd0;
  result[4] = even0 - even3 - odd0;
}

/** A component at the size of the image, without the rows' padding. */
function upsample(plane: Plane, component: Component, frame: Frame): Uint8Array {
  const { width, height } = frame;
  const full = new Uint8Array(width * height);
  const h = frame.maxH / component.h;
  const v = frame.maxV / component.v;
  if (!Number.isInteger(h) || !Number.isInteger(v))
    throw new CaffeError(phrase`its sampling factors do not divide`);
  const { stride, samples } = plane;
  // Only wide enough components are interpolated along x (libjpeg's jdsample.c).
  const smooth = (h === 2 && v <= 2 && component.width > 2) || (h === 1 && v === 2);
  if (!smooth) {
    for (let y = 0; y < height; y++) {
      const row = Math.floor(y / v) * stride;
      for (let x = 0; x < width; x++) full[y * width + x] = samples[row + Math.floor(x / h)];
    }
    return full;
  }

  // A row between two: three quarters of the near one, a quarter of the far one; the same along x.
  const line = new Int32Array(component.width);
  for (let y = 0; y < height; y++) {
    const near = Math.floor(y / v);
    const far = v === 1 ? near : Math.min(Math.max(near + (y % 2 === 0 ? -1 : 1), 0), component.height - 1);
    for (let x = 0; x < component.width; x++) {
      line[x] =
        v === 1 ? samples[near * stride + x] : 3 * samples[near * stride + x] + samples[far * stride + x];
    }
    const target = y * width;
    if (h === 1) {
      for (let x = 0; x < width; x++) full[target + x] = (line[x] + (y % 2 === 0 ? 1 : 2)) >> 2;
      continue;
    }
    // The sums are scaled by 4 or 16; the rounding alternates, so that it does not pull to one side.
    const shift = v === 1 ? 2 : 4;
    const roundLeft = v === 1 ? 1 : 8;
    const roundRight = v === 1 ? 2 : 7;
    for (let x = 0; x < width; x++) {
      const i = x >> 1;
      const left = x % 2 === 0;
      const edge = left ? i === 0 : i === component.width - 1;
      if (edge && v === 1) full[target + x] = line[i];
      else {
        const neighbour = edge ? line[i] : line[i + (left ? -1 : 1)];
        full[target + x] = (3 * line[i] + neighbour + (left ? roundLeft : roundRight)) >> shift;
      }
    }
  }
  return full;
}

type ColorSpace = 'gray' | 'rgb' | 'ycc' | 'cmyk' | 'ycck';

function colorSpace(frame: Frame, isJfif: boolean, adobe: number | undefined): ColorSpace {
  if (frame.components.length === 1) return 'gray';
  if (frame.components.length === 4) return adobe === 2 ? 'ycck' : 'cmyk';
  if (isJfif) return 'ycc';
  if (adobe !== undefined) return adobe === 0 ? 'rgb' : 'ycc';
  return frame.components.map(({ id }) => String.fromCharCode(id)).join('') === 'RGB' ? 'rgb' : 'ycc';
}

const clamp = (value: number) => (value < 0 ? 0 : value > 255 ? 255 : value);

function toImage(frame: Frame, planes: readonly Plane[], space: ColorSpace, mode: ColorMode): Image {
  const { width, height, components } = frame;
  const area = width * height;
  const full = (i: number) => upsample(planes[i], components[i], frame);
  const first = full(0);
  if (mode === 'gray' && (space === 'gray' || space === 'ycc')) {
    return { channels: 1, height, width, data: first };
  }
  if (space === 'gray') {
    if (mode === 'native') return { channels: 1, height, width, data: first };
    const data = new Uint8Array(3 * area);
    for (let c = 0; c < 3; c++) data.set(first, c * area);
    return { channels: 3, height, width, data };
  }

  const second = full(1);
  const third = full(2);
  const black = components.length === 4 ? full(3) : undefined;
  const gray = mode === 'gray';
  const data = new Uint8Array(gray ? area : 3 * area);
  for (let i = 0; i < area; i++) {
    let red = first[i];
    let green = second[i];
    let blue = third[i];
    if (space === 'ycc' || space === 'ycck') {
      // ITU-R BT.601 in 16 bits of fraction
      const luma = red;
      const cb = green - 128;
      const cr = blue - 128;
      red = clamp(luma + ((91881 * cr + 32768) >> 16));
      green = clamp(luma + ((-22554 * cb - 46802 * cr + 32768) >> 16));
      blue = clamp(luma + ((116130 * cb + 32768) >> 16));
    }
    if (black !== undefined) {
      // Adobe stores inverted inks; YCCK says the complements of C, M and Y.
      const k = black[i];
      const ink = (value: number) => {
        const stored = space === 'ycck' ? 255 - value : value;
        return k - (((255 - stored) * k) >> 8);
      };
      [red, green, blue] = [ink(red), ink(green), ink(blue)];
    }
    if (gray) {
      data[i] =
        black === undefined
          ? (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16
          : (4899 * red + 9617 * green + 1868 * blue + 8192) >> 14;
    } else {
      data[i] = blue;
      data[area + i] = green;
      data[2 * area + i] = red;
    }
  }
  return { channels: gray ? 1 : 3, height, width, data };
}
