import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CaffeError } from '../../../../src/caffe/errors';
import { diagnose, type Knowledge } from '../../../../src/caffe/prototxt/diagnose';
import { parsePrototxt } from '../../../../src/caffe/prototxt/parser';
import { applyEdits } from '../../../../src/caffe/prototxt/tree';
import { parseNet } from '../../../../src/caffe/readNet';
import { inferShapes } from '../../../../src/network/shapes';
import { phrase, textOf } from '../../../../src/phrase';

const lenet = readFileSync(
  new URL('../../../../src/sample/lenet/train_val.prototxt', import.meta.url),
  'utf8',
);
const sampleSolver = readFileSync(
  new URL('../../../../src/sample/lenet/solver.prototxt', import.meta.url),
  'utf8',
);

/** Each diagnostic as `severity code «text»: message`. */
const found = (text: string, knowledge?: Knowledge) =>
  diagnose(parsePrototxt(text), knowledge).map(
    ({ severity, code, start, end, message }) =>
      `${severity} ${code} «${text.slice(start, end)}»: ${textOf(message)}`,
  );

/** The text with the preferred fix of the diagnostic with this code. */
function fixed(text: string, code: string): string {
  const { fixes } = diagnose(parsePrototxt(text)).find((one) => one.code === code)!;
  return applyEdits(text, (fixes.find(({ preferred }) => preferred) ?? fixes[0]).edits);
}

const data = 'layer { name: "d" type: "Input" top: "data" top: "label" }\n';
const solver = 'net: "n" base_lr: 1 lr_policy: "fixed" max_iter: 1';

describe('nothing is wrong', () => {
  test.each([
    [
      'the rates of Intel Caffe’s stages stand for base_lr',
      'net: "n" lr_policy: "multifixed" stagelr: 0.1 stageiter: 5 max_iter: 5',
    ],
    ['the sample net', lenet],
    ['the sample solver', sampleSolver],
    ['an empty file', ''],
    ['a small solver', solver],
    ['a label map', 'item { name: "cat" label: 1 display_name: "Cat" }'],
    [
      'the fused layers of SkimCaffe, one of them with a pruning hint',
      `input: "data"
      layer { name: "conv" type: "ConvolutionReLUPoolLRN" bottom: "data" top: "conv" # prune: keep=10%
        convolution_param { num_output: 8 kernel_size: 3 conv_mode: DIRECT_SCONV dump_parameter: true }
        pooling_param { kernel_size: 2 } lrn_param { local_size: 5 } }
      layer { name: "ip" type: "InnerProductReLUDropout" bottom: "conv" top: "ip"
        inner_product_param { num_output: 4 gemm_mode: SPMDM spmdm_transpose_in: false } dropout_param { dropout_ratio: 0.5 } }`,
    ],
    [
      'a net of DeepLab and PSPNet',
      `layer { name: "data" type: "ImageSegData" top: "data" top: "label"
        transform_param { scale_factors: 0.5 scale_factors: 2 } image_data_param { source: "list" label_type: PIXEL } }
      layer { name: "up" type: "Interp" bottom: "data" bottom: "label" top: "up" interp_param { use_blob_size: true } }
      layer { name: "right" type: "SegAccuracy" bottom: "up" bottom: "label" top: "right" seg_accuracy_param { ignore_label: 255 } }`,
    ],
    ['all escapes', String.raw`name: "\a\b\f\n\r\t\v\\\?\'\"\0\377\x4a\u00e9\U0001F600"`],
    ['a mark of the byte order', '\ufeffname: "x"'],
    ['an unknown parameter of a fork', 'layer { name: "a" type: "ReLU" bottom: "d" } input: "d"'],
  ])('%s', (_, text) => expect(found(text).filter((one) => !one.startsWith('hint deprecated'))).toEqual([]));
});

test('a map of labels stays one while a brace of it is missing', () => {
  const said = found('item { name: "a" label: 1 }\nitem\nname: "b"\nlabel: 2 }\nitem { name: "c" label: 3 }');
  expect(said).not.toEqual([]);
  expect(said.filter((one) => one.includes('has no field "item"'))).toEqual([]);
});

test('of a name that is being typed only its value is missed, unless it is a slip', () => {
  expect(found('wei')).toEqual(['error syntax «wei»: Expected ":" and a value, or "{", after "wei"']);
  expect(found('nmae').map((one) => one.split(' ')[1])).toEqual(['syntax', 'unknown-field']);
});

describe('what is wrong, and the way out', () => {
  test.each([
    // text, what is said, the text with the preferred fix
    ['nam: "x" layer { name: "a" type: "Input" }', 'error unknown-field «nam»: NetParameter has no field "nam"; did you mean "name"?', 'name: "x" layer { name: "a" type: "Input" }'],
    ['layer { name: "a" type: "Convolution" convolution_param { kernel_s: 1 } }', 'error unknown-field «kernel_s»', 'layer { name: "a" type: "Convolution" convolution_param { kernel_size: 1 } }'],
    ['layer { name: "a" type: "Input" my_param { } }', 'hint unknown-field «my_param»', undefined],
    ['layer { name: "a" type: "Input" top: "x" zzzzzz: 1 }', 'warning unknown-field «zzzzzz»', undefined],
    ['layer { name: "a" type: "Pooling" pooling_param { pool: MAXX } }', 'error wrong-type «MAXX»: "pool" must be one of MAX, AVE, STOCHASTIC; did you mean MAX?', 'layer { name: "a" type: "Pooling" pooling_param { pool: MAX } }'],
    ['layer { name: "a" type: "Pooling" pooling_param { pool: "AVE" } }', 'error wrong-type «"AVE"»', 'layer { name: "a" type: "Pooling" pooling_param { pool: AVE } }'],
    ['layer { name: a type: "ReLU" }', 'error wrong-type «a»', 'layer { name: "a" type: "ReLU" }'],
    ['layer { name: "a" type: INNER_PRODUCT }', 'error wrong-type «INNER_PRODUCT»', 'layer { name: "a" type: "InnerProduct" }'],
    ['layer { name: "a" type: "Dropout" dropout_param { dropout_ratio: "0.5" } }', 'error wrong-type «"0.5"»', 'layer { name: "a" type: "Dropout" dropout_param { dropout_ratio: 0.5 } }'],
    ['layer { name: "a"\n name: "b"\n type: "ReLU" }', 'error repeated «name»', 'layer { name: "a"\n type: "ReLU" }'],
    ['layer { name: "a" type: "Clip" clip_param { min: 0 } }', 'error missing-field «clip_param»: ClipParameter needs "max"', undefined],
    ['layer { name: "a" }', 'error missing-field «a»: The layer has no type', undefined],
    ['layer { type: "ReLU" }', 'warning missing-field «layer»: The layer has no name', undefined],
    [`${data}layer { name: "a" type: "ReLU" bottom: "dta" top: "a" }`, 'error unknown-bottom «dta»: No layer above makes "dta"; did you mean "data"?', `${data}layer { name: "a" type: "ReLU" bottom: "data" top: "a" }`],
    [`${data}layer { name: "a" type: "ReLU" bottom: "b" top: "a" } layer { name: "b" type: "ReLU" bottom: "data" top: "b" }`, 'error unknown-bottom «b»: "b" is made only below, by "b"', undefined],
    [`${data}layer { name: "a" type: "ReLU" bottom: "data" top: "label" }`, 'error duplicate-top «label»: "label" is made already by "d"', undefined],
    [`${data}layer { name: "a" type: "InnerProduct" bottom: "data" top: "a" } layer { name: "a" type: "ReLU" bottom: "a" top: "a" }`, 'warning duplicate-layer «a»', undefined],
    [`${data}layer { name: "l" type: "EuclideanLoss" bottom: "data" top: "l" }`, 'error missing-bottom «l»: EuclideanLoss takes 2 bottoms', `${data}layer { name: "l" type: "EuclideanLoss" bottom: "data" bottom: "label" top: "l" }`],
    ['layer { name: "a" type: "Convoluton" }', 'warning unknown-layer-type «Convoluton»', 'layer { name: "a" type: "Convolution" }'],
    ['layer { name: "a" type: "MyOwnThing" }', 'hint unknown-layer-type «MyOwnThing»', undefined],
    ['layer {\n  name: "a"\n  type: "ReLU"\n  pooling_param { }\n}', 'hint useless-field «pooling_param { }»: ReLU does not read pooling_param', 'layer {\n  name: "a"\n  type: "ReLU"\n}'],
    ['layer { name: "a" type: "ReLU" include { } exclude { } }', 'error rules «exclude»', undefined],
    [`${data}layer { name: "a" type: "ReLU" bottom: "data" propagate_down: true propagate_down: true }`, 'error rules «propagate_down»', undefined],
    ['layer { name: "a" type: "Input" ', 'error syntax «layer {»: "layer" is never closed', undefined],
    ['layer { name: "a" type: "Data" top: "x" } layer { name: "b" type: "Data" top: "x" }', 'error duplicate-top «x»: "x" is made already by "a", which takes part in the same phase', 'layer { name: "a" type: "Data" top: "x" include { phase: TRAIN } } layer { name: "b" type: "Data" top: "x" include { phase: TEST } }'],
    ['input: "a" input_dim: 1 input_dim: 2', 'error shape «input_dim»: There must be 4 input_dim for each of the 1 inputs, not 2 in all', undefined],
    ['input: "a" input: "b" input_shape { dim: 1 }', 'error shape «input_shape»: There must be one input_shape for each of the 2 inputs, not 1', undefined],
    ['input: "a" input_shape { dim: 1 } input_dim: 1', 'error shape «input_dim»: Sizes stand in either', undefined],
    ['layer { name: "a" type: "SOFTMAX_LOSS" }', 'warning unknown-layer-type «SOFTMAX_LOSS»', 'layer { name: "a" type: "SoftmaxWithLoss" }'],
    ['layer { name: "a" type: "FullyConnected" }', 'warning unknown-layer-type «FullyConnected»', 'layer { name: "a" type: "InnerProduct" }'],
    ['layer { name: "a" type: "InnerProduct" num_output: 3 }', 'error unknown-field «num_output»: "num_output" stands in `inner_product_param`', 'layer { name: "a" type: "InnerProduct" inner_product_param { num_output: 3 } }'],
    ['layer {\n  name: "a"\n  type: "Convolution"\n  stride: 2\n  convolution_param { num_output: 3 }\n}', 'error unknown-field «stride»', 'layer {\n  name: "a"\n  type: "Convolution"\n  convolution_param { stride: 2 num_output: 3 }\n}'],
    ['layer { name: "a" type: "ReLU" dropout_ratio: 0.5 }', 'warning unknown-field «dropout_ratio»', undefined],
    ['name： "x"', 'error syntax «：»: Expected ":" instead of "："', 'name: "x"'],
    ['name: "x"\u200b', 'error syntax «\u200b»: An invisible character that is no blank stands here (U+200B)', 'name: "x"'],
    ['net: "D:\\new\\caffe.prototxt"', 'error syntax «\\c»: There is no escape \\c: paths are written with /', 'net: "D:/new/caffe.prototxt"'],
    ['name:\u00a0"x"', 'error syntax «\u00a0»: An invisible character that is no blank stands here (U+00A0)', 'name: "x"'],
    ['name: "x"\ufeff', 'error syntax «\ufeff»: An invisible character that is no blank stands here (U+FEFF)', 'name: "x"'],
    ['name = "x"', 'error syntax «=»: Expected ":" instead of "="', 'name : "x"'],
    ['name "x"', 'error syntax «name "x"»', 'name: "x"'],
    ['name: “x”', 'error syntax «“x”»: A string stands in plain quotes: "x"', 'name: "x"'],
    ['name: "x" // it\'s } mine\nforce_backward: true', 'error syntax «// it\'s } mine»: A comment begins with "#", not with "//"', 'name: "x" # it\'s } mine\nforce_backward: true'],
    ['/* one\ntwo { */ name: "x"', 'error syntax «/* one\ntwo { */»: A comment begins with "#", not with "/*"', undefined],
    ['/* one {\nname: "x"', 'error syntax «/* one {»', undefined],
    ['input: "a" input_dim: 1, 2, -1', 'error syntax «2, -1»: Several values stand in brackets: [1, 2, -1]', 'input: "a" input_dim: [1, 2, -1]'],
    ['name: "x" }', 'error syntax «}»: There is no message to close here', 'name: "x" '],
    ['state <phase: TEST}', 'error syntax «}»: "<" is closed by "}"; expected ">"', 'state <phase: TEST>'],
    ['layer { name: "a" type: "Convolution" } # prune: keep=8', 'warning hint «keep=8»', 'layer { name: "a" type: "Convolution" } # prune: keep=8%'],
    ['layer { name: "a" type: "ReLU" # prune: keep=8%\n}', 'warning hint « keep=8%»: "a" is a ReLU: it has no weights to prune', 'layer { name: "a" type: "ReLU" \n}'],
    ['base_lr: 1 lr_policy: "fixed"', 'error solver «base_lr»: The solver names no net', undefined],
    [`${solver} net_param { }`, 'error solver «net_param»: Only one net can be trained', undefined],
    ['net: "n" base_lr: 1 max_iter: 1 lr_policy: "setp"', 'error solver «setp»: Unknown lr_policy "setp"; did you mean "step"?', 'net: "n" base_lr: 1 max_iter: 1 lr_policy: "step"'],
    ['net: "n" base_lr: 1 lr_policy: "step" gamma: 1', 'error solver «lr_policy»: The policy "step" needs stepsize', undefined],
    ['net: "n" base_lr: 1 lr_policy: "inv" power: 1', 'warning solver «lr_policy»: The policy "inv" needs gamma', undefined],
    [`${solver} stepsize: 3`, 'hint useless-field «stepsize: 3»', `${solver} `],
    ['net: "n" base_lr: 1 lr_policy: "multistep" gamma: 1 stepvalue: 5 stepvalue: 5', 'error solver «stepvalue»: The stepvalues must rise', undefined],
    ['net: "n" lr_policy: "fixed" max_iter: 1', 'warning solver «net»: The solver has no base_lr', undefined],
    [`${solver} test_iter: 3`, 'error solver «test_iter»: test_iter needs test_interval', undefined],
    [`${solver} test_net: "a" test_net: "b" test_iter: 1 test_interval: 1`, 'error solver «test_net»: There must be one test_iter for each test net', undefined],
    [`${solver} type: "AdaGrad" momentum: 0.9`, 'error solver «momentum»: AdaGrad cannot be used with momentum', `${solver} type: "AdaGrad" `],
    [`${solver} type: "Adamm"`, 'error solver «Adamm»', `${solver} type: "Adam"`],
    [`${solver} solver_type: NESTEROV`, 'information deprecated «solver_type: NESTEROV»', `${solver} type: "Nesterov"`],
    [`${solver} rms_decay: 0.9`, 'hint useless-field «rms_decay: 0.9»: The solver SGD does not read rms_decay', `${solver} `],
    [`${data}layer { name: "a" type: "Accuracy" bottom: "data" top: "a" }`, 'error missing-bottom «a»: Accuracy takes 2 bottoms', `${data}layer { name: "a" type: "Accuracy" bottom: "data" bottom: "label" top: "a" }`],
    [`${data}layer { name: "p" type: "Pooling" bottom: "data" top: "data" }`, 'warning in-place «data»: Pooling does not work in place', undefined],
    ['layer { name: "a" type: "InnerProduct" blobs_lr: 1 blobs_lr: 2 weight_decay: 1 }', 'error unknown-field «blobs_lr»: "blobs_lr" is the syntax of 2014', 'layer { name: "a" type: "InnerProduct" param { lr_mult: 1 decay_mult: 1 } param { lr_mult: 2 } }'],
    ['layer { name: "a" type: "InnerProduct" lr_mult: 1 }', 'error unknown-field «lr_mult»: "lr_mult" stands in `param`', 'layer { name: "a" type: "InnerProduct" param { lr_mult: 1 } }'],
    ['layer { name: "a" type: "Convolution" convolution_param { padding: 1 } }', 'error unknown-field «padding»: ConvolutionParameter has no field "padding"; did you mean "pad"?', 'layer { name: "a" type: "Convolution" convolution_param { pad: 1 } }'],
    ['layer { name: "a" type: "Convolution" convolution_param { kernel_size: 3.0 } }', 'error wrong-type «3.0»', 'layer { name: "a" type: "Convolution" convolution_param { kernel_size: 3 } }'],
    ['layer { name: "a" type: "Convolution" convolution_param { bias_term: False0 } }', 'error wrong-type «False0»', undefined],
    ['layer { name: "a" type: "Convolution" convolution_param { bias_term: no } }', 'error wrong-type «no»', 'layer { name: "a" type: "Convolution" convolution_param { bias_term: false } }'],
    ['layer { name: "a" type: "ReLU" include: TEST }', 'error wrong-type «TEST»', 'layer { name: "a" type: "ReLU" include { phase: TEST } }'],
    ['layer { name: "a" type: "Convolution" convolution_param { weight_filler: "msra" } }', 'error wrong-type «"msra"»', 'layer { name: "a" type: "Convolution" convolution_param { weight_filler { type: "msra" } } }'],
    ['layer { name: "a" type: "Convolution" convolution_param { weight_filler { type: "xaver" } } }', 'error wrong-type «xaver»: Unknown type "xaver"; did you mean "xavier"?', 'layer { name: "a" type: "Convolution" convolution_param { weight_filler { type: "xavier" } } }'],
    ['layer { name: "a" type: "Convolution" convolution_param { weight_filler { type: "gabor" } } }', 'hint wrong-type «gabor»: Unknown type "gabor", neither', undefined],
    ['layer { name: "a" type: "Convolution" convolution_param { weight_filler { type: "xavier" std: 0.1 } } }', 'hint useless-field «std: 0.1»: The filler "xavier" does not read std', 'layer { name: "a" type: "Convolution" convolution_param { weight_filler { type: "xavier" } } }'],
    ['layer { name: "a" type: "Convolution" convolution_param { weight_filler { std: 0.1 } } }', 'warning useless-field «std»: The filler has no type', 'layer { name: "a" type: "Convolution" convolution_param { weight_filler { type: "gaussian" std: 0.1 } } }'],
    ['layer { name: "a" type: "Data" top: "a" data_param { source: "s" scale: 0.5 } }', 'warning useless-field «scale»: Caffe reads scale in transform_param', 'layer { name: "a" type: "Data" top: "a" data_param { source: "s" } transform_param { scale: 0.5 } }'],
    ['layer { name: "c" type: "ReLU" } layers { name: "a" type: RELU }', 'error deprecated «layers»: A net has either `layer` or `layers`', undefined],
    ['layer { name: "a" type: "Convolution" } # prune: kep=8%', 'warning hint «kep=8%»: A hint knows no "kep"', 'layer { name: "a" type: "Convolution" } # prune: keep=8%'],
    ['layer { name: "a" type: "Convolution" } # prune: keep=8% method=filter', 'warning hint «method=filter»', 'layer { name: "a" type: "Convolution" } # prune: keep=8% method=filters'],
    ['net: "n" base_lr: 1 lr_policy: "fixed"', 'hint solver «net»: The solver has no max_iter', undefined],
    [`${solver} iter_size: 0`, 'error solver «iter_size»: iter_size must be positive', undefined],
    [`${solver} regularization_type: "l1"`, 'error wrong-type «l1»', `${solver} regularization_type: "L1"`],
    [`${solver} learning_rate: 1`, 'error unknown-field «learning_rate»', undefined],
  ])('%s', (text, said, after) => {
    const all = found(text);
    const code = said.split(' ')[1];
    expect(all.find((one) => one.startsWith(said)), all.join('\n')).toBeDefined();
    if (after !== undefined) expect(fixed(text, code)).toBe(after);
  }); // prettier-ignore
});

describe('the old syntax, brought up to date', () => {
  const strip = (text: string) => parseNet(text).layer.map(({ line: _, ...layer }) => layer);
  const v1 = `# The net.
input: "data"
input_dim: 1 input_dim: 2
input_dim: 3 input_dim: 4
layers {
  name: "c" # first
  type: CONVOLUTION
  bottom: "data"
  top: "c"
  blobs_lr: 1
  blobs_lr: 2
  weight_decay: 1
  weight_decay: 0
  convolution_param { num_output: 3 }
}
`;
  test('2014: only what differs changes', () => {
    const after = fixed(v1, 'deprecated');
    expect(after).toBe(`# The net.
layer {
  name: "input"
  type: "Input"
  top: "data"
  input_param {
    shape { dim: 1 dim: 2 dim: 3 dim: 4 }
  }
}
layer {
  name: "c" # first
  type: "Convolution"
  bottom: "data"
  top: "c"
  param { lr_mult: 1 decay_mult: 1 }
  param { lr_mult: 2 decay_mult: 0 }
  convolution_param { num_output: 3 }
}
`);
    expect(strip(after)).toEqual(strip(v1));
    expect(found(after)).toEqual([]);
  });

  test('image settings move to transform_param', () => {
    const text =
      'layers { name: "d" type: DATA top: "d" data_param { source: "s" scale: 0.5 mirror: true } }';
    expect(fixed(text, 'deprecated')).toBe(
      'layer { name: "d" type: "Data" top: "d" data_param { source: "s" } transform_param { scale: 0.5 mirror: true } }',
    );
  });

  test('2013: written anew, with its comments', () => {
    const text = `input: "data"
layers { layer { name: "p" type: "padding" pad: 1 } bottom: "data" top: "p" }
layers {
  layer {
    name: "c" # a comment
    type: "conv"
    num_output: 2
    kernelsize: 3
  }
  bottom: "p"
  top: "c"
}`;
    const after = fixed(text, 'deprecated');
    expect(after).toBe(`input: "data"
layer {
  # a comment
  name: "c"
  type: "Convolution"
  bottom: "data"
  top: "c"
  convolution_param {
    num_output: 2
    kernel_size: 3
    pad: 1
  }
}`);
    expect(strip(after)).toEqual(strip(text));
  });
});

test('layers of both syntaxes become one net', () => {
  const mixed =
    'layer { name: "a" type: "Input" top: "a" }\nlayers { name: "b" type: RELU bottom: "a" top: "b" param { lr_mult: 1 } }';
  const { fixes } = diagnose(parsePrototxt(mixed)).find(
    (one) => one.code === 'deprecated' && one.fixes.length > 0,
  )!;
  expect(applyEdits(mixed, fixes[0].edits)).toBe(
    'layer { name: "a" type: "Input" top: "a" }\nlayer { name: "b" type: "ReLU" bottom: "a" top: "b" param { lr_mult: 1 } }',
  );
});

test('a solver without a net hears of that, not of what its tests would need', () => {
  expect(found('test_iter: 1 test_interval: 1 base_lr: 1 lr_policy: "fixed" max_iter: 1')).toEqual([
    'error solver «test_iter»: The solver names no net to train: set `net` to its prototxt',
  ]);
});

describe('what others know', () => {
  const net = `${data}layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" } # prune: keep=1\n`;
  const inferred = (params: number[][], errors: CaffeError[] = []): Knowledge['inferShapes'] => {
    return ({ layer: [, layer] }) => ({ errors, layers: [{ layer, type: {}, bottoms: [[1]], params }] });
  };

  test('a shape that Caffe refuses stands at its layer, once for both phases', () => {
    const error = new CaffeError(phrase`the sizes do not fit`, { line: 2, layer: 'ip' });
    expect(found(net, { inferShapes: inferred([], [error]) })).toEqual([
      'error shape «ip»: the sizes do not fit',
    ]);
  });

  test('of two layers on a line, what is refused stands at the one that is meant', () => {
    const line = `input: "data" input_shape { dim: 1 } layer { name: "a" type: "Eltwise" bottom: "data" top: "a" } layer { name: "b" type: "ReLU" bottom: "data" top: "b" }`;
    expect(found(line, { inferShapes: (net, phase) => inferShapes(net, { phase }) })).toEqual([
      'hint deprecated «input»: `input` is deprecated; write a layer of type Input',
      'error shape «a»: Eltwise takes at least 2 bottom blob(s), not 1',
    ]);
  });

  test.each([
    [[[4, 3]], [[4, 3]], []],
    [[[4, 3]], [[1, 1, 4, 3]], []],
    [[[4, NaN]], [[4, 9]], []],
    [[[4, 3]], [[4, 5]], ['warning weights «ip»: Blob 0 of "ip" is 4×3 here, but 4×5 in m.caffemodel']],
    [
      [[4, 3], [4]],
      [[4, 3]],
      ['warning weights «ip»: m.caffemodel has 1 blob(s) for "ip", but the layer has 2'],
    ],
  ])('weights %j against %j', (params, blobs, expected) => {
    const model = { file: 'm.caffemodel', layers: new Map([['ip', blobs]]) };
    expect(found(net, { inferShapes: inferred(params), model })).toEqual(expected);
  });

  test('a hint on a layer that the model lacks', () => {
    const model = { file: 'm.caffemodel', layers: new Map<string, number[][]>() };
    expect(found(net, { model })).toEqual(['warning hint « keep=1»: m.caffemodel has no weights for "ip"']);
  });

  test('a file that is not there', () => {
    const exists = (path: string) => path !== 'n';
    expect(found(solver, { exists })).toEqual([
      'warning missing-file «n»: There is no file "n" here or above',
    ]);
  });
});
