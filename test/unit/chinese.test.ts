import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { CaffeError } from '../../src/caffe/errors';
import { diagnose, type Knowledge } from '../../src/caffe/prototxt/diagnose';
import { parsePrototxt } from '../../src/caffe/prototxt/parser';
import { parseNet } from '../../src/caffe/readNet';
import { inferShapes } from '../../src/network/shapes';
import { phrase, textOf, type Phrase } from '../../src/phrase';
import type { WorkerJobs } from '../../src/protocol';
import { JobClient, JobServer, toErrorValue } from '../../src/rpc';
import { workerJobs } from '../../src/worker/jobs';

const chinese = JSON.parse(readFileSync('l10n/bundle.l10n.zh-cn.json', 'utf8')) as Record<string, string>;
const said = (phrase: Phrase) => textOf(phrase, chinese);

const folder = mkdtempSync(join(tmpdir(), 'chinese-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('an error of a job in Chinese', () => {
  const server = new JobServer<WorkerJobs>(workerJobs(), (response) =>
    client.receive(structuredClone(response)),
  );
  const client: JobClient<WorkerJobs> = new JobClient<WorkerJobs>((request) =>
    server.receive(structuredClone(request)),
  );
  const failure = async (job: Promise<unknown>) =>
    textOf(toErrorValue(await job.catch((error: unknown) => error)).text, chinese);

  test('says what, where and what to do', async () => {
    const file = join(folder, 'net.caffemodel');
    writeFileSync(file, 'name: "n" layer { name: "c" }');
    expect(await failure(client.run('open', { path: file }))).toBe(
      `${file}：这是网络的文本（prototxt），不是带权重的模型。请将其重命名为 .prototxt。`,
    );
  });

  test('is put together of phrases', async () => {
    const netFile = join(folder, 'net.prototxt');
    writeFileSync(netFile, 'name: "n"\nlayer { name: 3 }');
    const job = client.run('evaluate', {
      netFile,
      models: [join(folder, 'x.caffemodel')],
      engine: { kind: 'portable', threads: 1 },
    });
    expect(await failure(job)).toBe(`${netFile}，第 2 行：“name”必须是引号中的字符串。`);
  });
});

test('an error of a net is the same in Chinese, with what it is made of', () => {
  const net = parseNet('layer { name: "s" type: "Softmax" top: "y" }');
  const [error] = inferShapes(net, { phase: 'TEST' }).errors;
  expect(error.message).toBe('Softmax takes 1 bottom blob(s), not 0');
  expect(said(error.what)).toBe('Softmax 需要 1 个 bottom，而不是 0 个');
  const deep = new CaffeError(phrase`lr_policy "${'step'}": ${phrase`gamma must not be negative`}`, {
    layer: 's',
    line: 3,
  });
  expect(said(deep.description())).toBe('层“s”，第 3 行：lr_policy“step”：gamma 不能为负。');
});

describe('a diagnostic in Chinese', () => {
  const knowledge: Knowledge = { inferShapes: (net, phase) => inferShapes(net, { phase }) };

  test.each([
    [
      'layer { nam: "a" type: "ReLU" }',
      'unknown-field',
      'LayerParameter 没有字段“nam”；您是否想写“name”？',
      '改为 name',
    ],
    [
      'layer { name: "a" type: "Pooling" pooling_param { pool: MAXX } }',
      'wrong-type',
      '“pool”必须是以下之一：MAX, AVE, STOCHASTIC；您是否想写 MAX？',
      '改为 MAX',
    ],
    [
      'layer { name: "d" type: "Input" top: "d" input_param { shape { dim: 2 dim: 3 } } }\nlayer { name: "p" type: "Pooling" bottom: "d" top: "p" }',
      'shape',
      '输入必须有 4 个轴',
      undefined,
    ],
    [
      'layer { name: "a" # prune: keep=80\n type: "InnerProduct" }',
      'hint',
      'keep 是 0 到 1 的比例',
      '改为 keep=80%',
    ],
    ['a: {', 'syntax', '“a”没有结束', undefined],
  ])('%j', (text, code, message, title) => {
    const found = diagnose(parsePrototxt(text), knowledge).find((one) => one.code === code)!;
    expect(said(found.message)).toContain(message);
    expect(found.fixes[0] && said(found.fixes[0].title)).toBe(title);
  });
});
