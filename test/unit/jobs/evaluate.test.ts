import { copyFileSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeBinaryproto } from '../../../src/caffe/binaryproto';
import { CaffeError } from '../../../src/caffe/errors';
import { evaluate, type EvaluateParams } from '../../../src/jobs/evaluate';
import { readKeptEvaluation } from '../../../src/jobs/keptEvaluation';
import { prune } from '../../../src/jobs/prune';
import type { RecordedEvaluation } from '../../../src/jobs/recordEvaluation';
import type { Recipe } from '../../../src/sparsity/recipe';
import { openTestItems } from '../../../src/jobs/testNet';
import { pick } from '../../../src/data/items';
import { Net } from '../../../src/network/net';
import { openFeed } from '../../../src/data/openFeed';
import { ReferenceEngine } from '../../../src/tensor/reference';
import { CLASSES, layer, modelBytes, runJob, tinyData, tinyNet, trainTiny } from './tinyNet';
import { textOf } from '../../../src/phrase';
import { described } from '../../support/described';

const { folder, images, netFile } = tinyData(130);
const model = join(folder, 'tiny.caffemodel');
beforeAll(() => trainTiny(netFile, model));
afterAll(() => rmSync(folder, { recursive: true }));

const context = (signal = new AbortController().signal) => ({ engine: new ReferenceEngine(), signal });
const params = (more: Partial<EvaluateParams> = {}): EvaluateParams => ({
  netFile,
  net: tinyNet(13),
  models: [model],
  ...more,
});

/** Figures of a model, as a file of evaluations holds them. */
const figures = { model, items: 1, outputs: {}, wrong: [], missing: [], seconds: 1 };
/** The least that such a file holds. */
const keptBy = () => ({
  ...{ format: 'caffe-pruner evaluation', version: 1, net: netFile, data: images, engine: 'x', keptIn: [] },
  evaluations: [figures],
});

describe('evaluate', () => {
  it('tells of a model that was cut off, and gives no figures of what is left', async () => {
    const whole = readFileSync(model);
    const part = join(folder, 'part.caffemodel');
    for (const share of [0.1, 0.5, 0.99]) {
      writeFileSync(part, whole.subarray(0, share * whole.length));
      expect(await described(runJob(evaluate(params({ models: [part] }), context())))).toMatch(
        /part\.caffemodel.*, byte \d+: .* but the file ends after .*get it anew/s,
      );
    }
  });

  it('gives the mean of what the net says of each batch, as caffe test does', async () => {
    const { result } = await runJob(evaluate(params(), context()));
    const [evaluation] = result.evaluations;

    const feed = await openFeed(tinyNet(13).layer[0], { phase: 'TEST', folders: [folder] });
    const net = new Net(tinyNet(13), {
      phase: 'TEST',
      engine: new ReferenceEngine(),
      sourceShapes: () => feed.shapes.map((s) => [...s]),
    });
    const { openModel } = await import('../../../src/caffe/model');
    const { openFile } = await import('../../../src/caffe/byteSource');
    const source = await openFile(model);
    await net.loadWeights(source, await openModel(source));
    let accuracy = 0;
    let loss = 0;
    for (let i = 0; i < 10; i++) {
      net.feed('data', (await feed.next()).tops);
      loss += net.forward() / 10;
      accuracy += net.blob('accuracy').data[0] / 10;
    }
    await feed.close();
    await source.close();

    expect(evaluation.items).toBe(130);
    expect(evaluation.loss).toBeCloseTo(loss, 12);
    expect(evaluation.outputs.accuracy).toBeCloseTo(accuracy, 12);
    expect(evaluation.top1).toBeCloseTo(accuracy, 12);
    expect(evaluation.top1).toBeGreaterThan(0.5);
    expect(evaluation.missing).toEqual([]);
  });

  it('does not depend on the size of the batches, whose last may be shorter', async () => {
    const [a, b] = await Promise.all(
      [13, 40].map((size) => runJob(evaluate(params({ net: tinyNet(size) }), context()))),
    );
    const [one] = a.result.evaluations;
    const [other] = b.result.evaluations;
    expect(other).toEqual({ ...one, seconds: other.seconds, loss: other.loss, outputs: other.outputs });
    expect(other.loss).toBeCloseTo(one.loss!, 5);
    expect(other.outputs.accuracy).toBeCloseTo(one.outputs.accuracy, 6);
  });

  it('counts classes, confusions and wrong items, whose images can be shown', async () => {
    const { result } = await runJob(evaluate(params(), context()));
    const [{ top1, top5, classes, confusion, wrong, items }] = result.evaluations;
    const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
    expect(classes).toHaveLength(CLASSES);
    expect(sum(classes!.map((figures) => figures.items))).toBe(items);
    expect(sum(classes!.map(({ right }) => right)) / items).toBe(top1);
    expect(confusion!.map((row) => sum(row))).toEqual(classes!.map((figures) => figures.items));
    expect(confusion!.map((row, label) => row[label])).toEqual(classes!.map(({ right }) => right));
    expect(wrong).toHaveLength(Math.round(items * (1 - top1!)));
    expect(top5).toBeGreaterThanOrEqual(top1!);

    const source = await openTestItems(params());
    const shown = await pick(
      source,
      wrong.map(({ item }) => item),
    );
    expect(shown.map(({ label }) => label)).toEqual(wrong.map(({ label }) => label));
  });

  it('evaluates several models one after the other, and tells how far it is', async () => {
    const broken = join(folder, 'partial.caffemodel');
    writeFileSync(
      broken,
      modelBytes([
        {
          name: 'ip2',
          type: 'InnerProduct',
          blobs: [
            { shape: [CLASSES, 20], data: new Float32Array(CLASSES * 20) },
            { shape: [CLASSES], data: new Float32Array(CLASSES) },
          ],
        },
      ]),
    );
    const { events, result } = await runJob(evaluate(params({ models: [model, broken, model] }), context()));
    expect(result.evaluations.map((evaluation) => evaluation.model)).toEqual([model, broken, model]);
    expect(result.evaluations[1].missing).toEqual(['conv', 'branch', 'ip1']);
    // All scores are equal: as in Caffe's Accuracy layer a tie is no hit.
    expect(result.evaluations[1].top1).toBe(0);
    expect(result.evaluations[2].top1).toBe(result.evaluations[0].top1);
    const fractions = events.map(({ fraction }) => fraction);
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
    expect(fractions.at(-1)).toBeLessThanOrEqual(1);
  });

  it('takes the sparse weights of a pruned model too, and keeps the results in its recipe', async () => {
    const choices = [{ layer: 'ip1', blob: 0, method: 'keep', keep: 0.5 } as const];
    const { result: pruned } = await runJob(
      prune({ file: model, existing: 'replace', encoding: 'relative', seed: 1, choices }, context()),
    );
    const { dense, sparse, recipe } = pruned.outputs;
    const { result } = await runJob(evaluate(params({ models: [model, dense, sparse] }), context()));
    const [whole, ofDense, ofSparse] = result.evaluations;
    expect(ofSparse).toEqual({ ...ofDense, model: sparse, seconds: ofSparse.seconds });
    expect(ofDense.loss).not.toBe(whole.loss);
    expect(result.keptIn).toEqual([recipe, recipe]);

    await runJob(evaluate(params({ models: [model, dense] }), context()));
    const written = JSON.parse(readFileSync(recipe, 'utf8')) as Recipe & {
      evaluations: RecordedEvaluation[];
    };
    expect(written.choices).toEqual(choices);
    expect(written.evaluations).toHaveLength(1);
    expect(written.evaluations[0]).toMatchObject({
      net: netFile,
      result: { model: dense, top1: ofDense.top1 },
      baseline: { top1: whole.top1 },
    });
  });

  it('keeps the whole result in a file, and tells which models changed since', async () => {
    const results = join(folder, 'tiny.evaluation.json');
    const other = join(folder, 'other.caffemodel');
    copyFileSync(model, other);
    const { result } = await runJob(evaluate(params({ models: [model, other], results }), context()));
    expect(result.keptIn).toEqual([results]);
    const kept = await readKeptEvaluation(results);
    expect(kept).toEqual({ ...result, kept: { at: expect.any(Number) as number, changed: [] } });
    const later = new Date(kept!.kept.at + 5000);
    utimesSync(model, later, later);
    rmSync(other);
    expect((await readKeptEvaluation(results))?.kept.changed).toEqual([model, other]);
  });

  it.each([
    ['nothing', undefined],
    ['no JSON', '{'],
    ['null', 'null'],
    ['the file of another program', '{"evaluations": []}'],
    ['no evaluation', JSON.stringify({ ...keptBy(), evaluations: [] })],
    [
      'figures that are no numbers',
      JSON.stringify({ ...keptBy(), evaluations: [{ ...figures, top1: '1' }] }),
    ],
    [
      'wrong items that are none',
      JSON.stringify({ ...keptBy(), evaluations: [{ ...figures, wrong: [null] }] }),
    ],
  ])('takes %s for no kept evaluation', async (_, text) => {
    const results = join(folder, 'bad.evaluation.json');
    rmSync(results, { force: true });
    if (text !== undefined) writeFileSync(results, text);
    expect(await readKeptEvaluation(results)).toBeUndefined();
    writeFileSync(results, JSON.stringify(keptBy()));
    expect(await readKeptEvaluation(results)).toBeDefined();
  });

  it('gives its result also where it cannot be kept, and says why', async () => {
    const { result } = await runJob(evaluate(params({ results: join(folder, 'no', 'x.json') }), context()));
    expect(result.evaluations[0].items).toBe(130);
    expect(result.keptIn).toEqual([]);
    expect(textOf(result.notKept!)).toContain(join(folder, 'no'));
  });

  it('stops after a limit, within a batch', async () => {
    const { result } = await runJob(evaluate(params({ limit: 30 }), context()));
    expect(result.evaluations[0].items).toBe(30);
  });

  it('evaluates a deploy net on data that are chosen, by its first output', async () => {
    const { layer: layers } = tinyNet(1);
    const net = {
      layer: [
        layer('Input', 'data', [], ['data'], { input_param: { shape: [{ dim: [1, 1, 6, 6] }] } }),
        ...layers.slice(1, -2),
        layer('Softmax', 'prob', ['ip2'], ['prob']),
      ],
    };
    const deploy = { net, data: images, transform: { scale: 0.01 } };
    const { result } = await runJob(evaluate(params(deploy), context()));
    const { result: trainVal } = await runJob(evaluate(params(), context()));
    expect(result.evaluations[0].top1).toBe(trainVal.evaluations[0].top1);
    expect(result.evaluations[0].loss).toBeUndefined();
  });

  it('judges by the last Accuracy layer, not by those of auxiliary classifiers', async () => {
    const net = tinyNet(13);
    const at = net.layer.findIndex(({ type }) => type === 'Accuracy');
    const auxiliary = layer('InnerProduct', 'aux', ['conv'], ['aux'], {
      inner_product_param: { num_output: 20 },
    });
    net.layer.splice(at, 0, auxiliary, layer('Accuracy', 'aux_accuracy', ['aux', 'label'], ['aux_accuracy']));
    const { result } = await runJob(evaluate(params({ net }), context()));
    const [{ top1, outputs, classes }] = result.evaluations;
    expect(classes).toHaveLength(CLASSES);
    expect(top1).toBeCloseTo(outputs.accuracy, 12);
  });

  it('refuses labels that are no classes of the net', async () => {
    const net = {
      layer: [
        layer('Input', 'data', [], ['data'], { input_param: { shape: [{ dim: [1, 1, 6, 6] }] } }),
        ...tinyNet(1).layer.slice(1, -3),
        layer('InnerProduct', 'few', ['ip1'], ['few'], { inner_product_param: { num_output: 3 } }),
      ],
    };
    await expect(runJob(evaluate(params({ net, data: images }), context()))).rejects.toThrow(
      'but the net has 3 classes',
    );
  });

  it('reads the matrix that an InfogainLoss names', async () => {
    // The cost of taking class i for class j; the identity makes it the softmax loss.
    const diagonal = Float32Array.from({ length: CLASSES ** 2 }, (_, i) => (i % (CLASSES + 1) === 0 ? 2 : 0));
    await writeBinaryproto(join(folder, 'costs.binaryproto'), {
      shape: [1, 1, CLASSES, CLASSES],
      data: diagonal,
    });
    const net = (source: string) => {
      const tiny = tinyNet(13);
      tiny.layer[tiny.layer.length - 1] = layer('InfogainLoss', 'loss', ['ip2', 'label'], ['loss'], {
        infogain_loss_param: { source },
      });
      return tiny;
    };
    const plain = await runJob(evaluate(params(), context()));
    const weighted = await runJob(evaluate(params({ net: net('costs.binaryproto') }), context()));
    expect(weighted.result.evaluations[0].loss).toBeCloseTo(2 * plain.result.evaluations[0].loss!, 5);
    await expect(runJob(evaluate(params({ net: net('no.binaryproto') }), context()))).rejects.toThrow(
      'Cannot find the infogain matrix "no.binaryproto"',
    );
  });

  it('names the net, the layer and its line where a type is not known', async () => {
    const net = tinyNet(13);
    net.layer[2] = { ...net.layer[2], type: 'Sparkle', line: 7 };
    const error = await runJob(evaluate(params({ net }), context())).catch((thrown: unknown) => thrown);
    expect((error as CaffeError).describe()).toContain(
      `${netFile}, layer "relu", line 7: unknown layer type "Sparkle"`,
    );
  });

  it('names the layer in which a value became NaN', async () => {
    const bad = join(folder, 'nan.caffemodel');
    const data = new Float32Array(CLASSES * 20).fill(NaN, 5, 6);
    writeFileSync(
      bad,
      modelBytes([
        {
          name: 'ip2',
          type: 'InnerProduct',
          blobs: [
            { shape: [CLASSES, 20], data },
            { shape: [CLASSES], data: new Float32Array(CLASSES) },
          ],
        },
      ]),
    );
    const error = await runJob(evaluate(params({ models: [bad] }), context())).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(CaffeError);
    expect((error as CaffeError).layer).toBe('ip2');
  });

  it('stops when it is cancelled', async () => {
    const controller = new AbortController();
    const job = evaluate(params({ net: tinyNet(1) }), context(controller.signal));
    await job.next();
    controller.abort();
    await expect(runJob(job)).rejects.toThrow(/abort/i);
  });

  it.each<[string, Partial<EvaluateParams>, string]>([
    [
      'a model of another net',
      {
        net: {
          layer: [
            ...tinyNet(2).layer.slice(0, 1),
            layer('InnerProduct', 'other', ['data'], ['other'], { inner_product_param: { num_output: 2 } }),
          ],
        },
      },
      'weights for none of the layers',
    ],
    [
      'a deploy net without data',
      {
        net: { layer: [layer('Input', 'data', [], ['data'], { input_param: { shape: [{ dim: [1, 3] }] } })] },
      },
      'does not say what data',
    ],
    ['data that are not there', { data: 'nowhere' }, 'Cannot find the data "nowhere"'],
    ['a net without input', { net: { layer: [] } }, 'no input'],
  ])('refuses %s', async (_, more, message) => {
    await expect(runJob(evaluate(params(more), context()))).rejects.toThrow(message);
  });
});
