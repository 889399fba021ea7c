import { readFileSync } from 'node:fs';
import textformat from 'protobufjs/ext/textformat.js';
import { complete } from '../src/caffe/prototxt/complete';
import { format } from '../src/caffe/prototxt/format';
import { parsePrototxt } from '../src/caffe/prototxt/parser';
import { protobufRoot } from '../src/caffe/schema';
import { Analysis, Former } from '../src/language/analysis';
import { compare, heading } from './measure';

/** A net of about 20,000 lines as people write them: LeNet's layers over and over, wired one behind the other. */
function longNet(lines: number): string {
  const parts = [
    'name: "long"\nlayer {\n  name: "data"\n  type: "Input"\n  top: "b0"\n  input_param { shape { dim: 1 dim: 8 dim: 16 dim: 16 } }\n}\n',
  ];
  for (let layer = 1, count = 7; count < lines; layer++) {
    const text = `layer {
  name: "conv${layer}"
  type: "Convolution"
  bottom: "b${layer - 1}"
  top: "b${layer}"
  # prune: keep=10%
  param {
    lr_mult: 1
    decay_mult: 1
  }
  param {
    lr_mult: 2
    decay_mult: 0
  }
  convolution_param {
    num_output: 8
    kernel_size: 3
    pad: 1
    weight_filler {
      type: "xavier"
    }
    bias_filler {
      type: "constant"
      value: 0
    }
  }
}
layer {
  name: "relu${layer}"
  type: "ReLU"
  bottom: "b${layer}"
  top: "b${layer}"
}
`;
    parts.push(text);
    count += text.split('\n').length - 1;
  }
  return parts.join('');
}

const text = process.argv[2] ? readFileSync(process.argv[2], 'utf8') : longNet(20_000);
const net = protobufRoot().lookupType('caffe.NetParameter');

/** Time of the processor in ms, all threads: what the work takes from others, however busy the machine is. */
function cpu(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const baseline = { name: 'protobufjs text parser', run: () => cpu(() => textformat.fromText(net, text)) };

/** As one types: a letter more in the middle each time. */
let typed = 0;
function keystroke(): { edited: string; offset: number } {
  const offset = text.indexOf('bottom: "', text.length / 2) + 'bottom: "'.length;
  const more = 'x'.repeat(++typed % 5);
  return { edited: text.slice(0, offset) + more + text.slice(offset), offset };
}

heading(`A prototxt of ${text.split('\n').length - 1} lines (processor time)`);
await compare({
  repeats: 15,
  what: 'tree with positions and comments',
  baseline,
  ours: { name: 'parse', run: () => cpu(() => parsePrototxt(text)) },
});
const former = new Former();
await compare({
  repeats: 15,
  what: 'a keystroke: diagnostics, shapes and completion',
  baseline,
  ours: {
    name: 'what changed of it',
    run: () => {
      const { edited, offset } = keystroke();
      return cpu(() => {
        const analysis = new Analysis(edited, undefined, former);
        analysis.problems();
        complete(analysis.prototxt, offset);
      });
    },
  },
});
await compare({
  repeats: 15,
  what: 'a new line: the layers below it move',
  baseline,
  ours: {
    name: 'what changed of it',
    run: () => {
      const { edited, offset } = keystroke();
      const below = edited.replace('\n', '\n'.repeat(1 + (typed % 3)));
      return cpu(() => {
        const analysis = new Analysis(below, undefined, former);
        analysis.problems();
        complete(analysis.prototxt, offset + (typed % 3));
      });
    },
  },
});
await compare({
  repeats: 15,
  what: 'the file is opened: all of it',
  baseline,
  ours: { name: 'diagnostics and shapes', run: () => cpu(() => new Analysis(text).problems()) },
});
await compare({
  repeats: 15,
  what: 'laying out the file',
  baseline,
  ours: { name: 'format', run: () => cpu(() => format(parsePrototxt(text), { indent: '    ' })) },
});
