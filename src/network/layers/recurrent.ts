import type { LayerParameter } from '../../caffe/messages';
import { phrase } from '../../phrase';
import type { BackwardPass, Blob, LayerType, LayerTypes, ParamPlan, Pass } from '../layer';
import { count, differ, legacySize, refuse, shapesDiffer, shapeText, type Shape } from '../shape';

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** Part `index` of an array of equal parts of `size` values. */
const part = (array: Float32Array, index: number, size: number) =>
  array.subarray(index * size, (index + 1) * size);

/** Adds `row` to each of the rows of its length. */
function addToRows(rows: Float32Array, row: Float32Array): void {
  for (let i = 0; i < rows.length; i++) rows[i] += row[i % row.length];
}

/** Adds each of the rows to `sum`. */
function sumOfRows(rows: Float32Array, sum: Float32Array): void {
  for (let i = 0; i < rows.length; i++) sum[i % sum.length] += rows[i];
}

/** Views of one time step: N streams of H hidden values, and their gates. */
interface Step {
  /** Number of hidden values of a stream, H. */
  size: number;
  /** The sums that go into the gates; forward replaces them by the gates' values, backward by their gradients. */
  gates: Float32Array;
  /** Cell state of the step before. */
  last: Float32Array;
  cell: Float32Array;
  hidden: Float32Array;
}

/** What one kind of recurrent layer does in a step. */
interface Cell {
  /** Width of the gates, in multiples of H. */
  gates: number;
  /** There is a state besides the hidden values that goes from step to step. */
  hasCellState: boolean;
  /** The output is a projection of the hidden values; otherwise it is the hidden values. */
  hasOutput: boolean;
  forward(step: Step, cont: Float32Array): void;
  /** Replaces `cellDiff` by the gradient of the last cell state. */
  backward(step: Step, hiddenDiff: Float32Array, cellDiff: Float32Array): void;
}

const tanhCell: Cell = {
  gates: 1,
  hasCellState: false,
  hasOutput: true,
  forward({ gates, hidden }) {
    for (let i = 0; i < hidden.length; i++) hidden[i] = Math.tanh(gates[i]);
  },
  backward({ gates, hidden }, hiddenDiff) {
    for (let i = 0; i < hidden.length; i++) gates[i] = hiddenDiff[i] * (1 - hidden[i] * hidden[i]);
  },
};

/** Input, forget and output gate and candidate, in this order (lstm_unit_layer.cpp). */
const lstmCell: Cell = {
  gates: 4,
  hasCellState: true,
  hasOutput: false,
  forward({ size, gates, last, cell, hidden }, cont) {
    for (let at = 0; at < hidden.length; at++) {
      const stream = Math.floor(at / size);
      const i = at + 3 * stream * size;
      gates[i] = sigmoid(gates[i]);
      gates[i + size] = cont[stream] * sigmoid(gates[i + size]);
      gates[i + 2 * size] = sigmoid(gates[i + 2 * size]);
      gates[i + 3 * size] = Math.tanh(gates[i + 3 * size]);
      cell[at] = gates[i + size] * last[at] + gates[i] * gates[i + 3 * size];
      hidden[at] = gates[i + 2 * size] * Math.tanh(cell[at]);
    }
  },
  backward({ size, gates, last, cell, hidden }, hiddenDiff, cellDiff) {
    for (let at = 0; at < hidden.length; at++) {
      const i = at + 3 * Math.floor(at / size) * size;
      const [input, forget] = [gates[i], gates[i + size]];
      const [output, candidate] = [gates[i + 2 * size], gates[i + 3 * size]];
      const squashed = Math.tanh(cell[at]);
      const slope = cellDiff[at] + hiddenDiff[at] * output * (1 - squashed * squashed);
      cellDiff[at] = slope * forget;
      gates[i] = slope * candidate * input * (1 - input);
      gates[i + size] = slope * last[at] * forget * (1 - forget);
      gates[i + 2 * size] = hiddenDiff[at] * squashed * output * (1 - output);
      gates[i + 3 * size] = slope * input * (1 - candidate * candidate);
    }
  },
};

/**
 * A recurrent layer over T steps of N streams, as the net that Caffe unrolls (recurrent_layer.cpp): `cont` (the
 * second bottom) of 0 begins a new sequence, 1 goes on with it. The state of the last step of a batch is where
 * the next batch begins, unless it is exposed as bottoms and tops; no gradient goes across batches.
 */
function recurrent(cell: Cell): LayerType {
  const states = cell.hasCellState ? 2 : 1;
  const exposes = (layer: LayerParameter) => layer.recurrent_param?.expose_hidden ?? false;
  return {
    bottoms: (layer) => (exposes(layer) ? [2 + states, 3 + states] : [2, 3]),
    tops: (layer) => (exposes(layer) ? 1 + states : 1),
    noGradient: [1],
    plan(layer, bottoms) {
      const [input, cont] = bottoms;
      const { num_output: size = 0, weight_filler = {}, bias_filler = {} } = layer.recurrent_param ?? {};
      refuse(layer, size <= 0, phrase`num_output must be positive`);
      refuse(
        layer,
        input.length < 2,
        phrase`the input must have at least 2 axes (steps, streams, …), not ${shapeText(input)}`,
      );
      const [steps, streams] = input;
      refuse(
        layer,
        shapesDiffer(cont, [steps, streams]),
        phrase`the sequence indicators must be ${shapeText([steps, streams])} (steps, streams), not ${shapeText(cont)}`,
      );
      const exposed = exposes(layer) ? states : 0;
      const still: Shape | undefined = bottoms.length > 2 + exposed ? bottoms[2] : undefined;
      refuse(
        layer,
        still !== undefined && differ(legacySize(still, 0), streams),
        phrase`the static input must have one item per stream (${streams}), not ${shapeText(still ?? [])}`,
      );
      const stateShape = [1, streams, size];
      const firstState = bottoms.length - exposed;
      for (const bottom of bottoms.slice(firstState).slice(0, exposed)) {
        refuse(
          layer,
          shapesDiffer(bottom, stateShape),
          phrase`a hidden state must be ${shapeText(stateShape)}, not ${shapeText(bottom)}`,
        );
      }
      const inputSize = count(input, 2);
      const stillSize = still === undefined ? 0 : count(still, 1);
      const width = cell.gates * size;
      const rows = steps * streams;
      const state = streams * size;
      const gateStep = streams * width;

      const weight = (shape: Shape): ParamPlan => ({ shape, filler: weight_filler });
      const bias = (shape: Shape): ParamPlan => ({ shape, filler: bias_filler });
      const params = [
        weight([width, inputSize]),
        bias([width]),
        ...(still === undefined ? [] : [weight([width, stillSize])]),
        weight([width, size]),
        ...(cell.hasOutput ? [weight([size, size]), bias([size])] : []),
      ];
      /** The parameters by their part in the computation. */
      const parts = (blobs: Blob[]) => {
        const [x, b, ...rest] = blobs;
        return {
          x,
          b,
          still: still === undefined ? undefined : rest[0],
          hidden: rest[still === undefined ? 0 : 1],
          output: cell.hasOutput ? rest.slice(-2) : undefined,
        };
      };
      /** The views of step `t`; the states of step t come from slot t and go into slot t + 1. */
      const step = ({ gates, hidden, memory }: Record<string, Float32Array>, t: number): Step => ({
        size,
        gates: part(gates, t, gateStep),
        last: part(memory, t, state),
        cell: part(memory, t + 1, state),
        hidden: part(hidden, t + 1, state),
      });
      /** The hidden values that step `t` starts from: those of the step before, or 0 where a sequence begins. */
      const carry = (from: Float32Array, cont: Float32Array, t: number, to: Float32Array) => {
        for (let i = 0; i < state; i++) to[i] = from[i] * cont[t * streams + Math.floor(i / size)];
      };

      return {
        tops: [[steps, streams, size], ...new Array<Shape>(exposed).fill(stateShape)],
        params,
        macs:
          rows * (width * (inputSize + size) + (cell.hasOutput ? size * size : 0)) +
          streams * width * stillSize,
        scratch: {
          gates: rows * width,
          hidden: (steps + 1) * state,
          memory: cell.hasCellState ? (steps + 1) * state : 0,
          carried: rows * size,
          stillGates: gateStep,
          hiddenDiff: state,
          memoryDiff: state,
          outputDiff: rows * size,
        },
        forward({ engine, bottom, top, params, scratch }: Pass) {
          const { gates, hidden, memory, carried, stillGates } = scratch;
          const p = parts(params);
          const continues = bottom[1].data;
          const start = [hidden, memory];
          for (let i = 0; i < states; i++) {
            const first = part(start[i], 0, state);
            first.set(exposed > 0 ? bottom[firstState + i].data : part(start[i], steps, state));
          }
          engine.gemm(false, true, rows, width, inputSize, 1, bottom[0].data, p.x.data, 0, gates);
          addToRows(gates, p.b.data);
          if (p.still !== undefined) {
            engine.gemm(
              false,
              true,
              streams,
              width,
              stillSize,
              1,
              bottom[2].data,
              p.still.data,
              0,
              stillGates,
            );
            addToRows(gates, stillGates);
          }
          for (let t = 0; t < steps; t++) {
            const from = part(carried, t, state);
            carry(part(hidden, t, state), continues, t, from);
            const now = step(scratch, t);
            engine.gemm(false, true, streams, width, size, 1, from, p.hidden.data, 1, now.gates);
            cell.forward(now, part(continues, t, streams));
          }
          const output = top[0].data;
          if (p.output === undefined) {
            output.set(hidden.subarray(state));
          } else {
            engine.gemm(
              false,
              true,
              rows,
              size,
              size,
              1,
              hidden.subarray(state),
              p.output[0].data,
              0,
              output,
            );
            addToRows(output, p.output[1].data);
            for (let i = 0; i < output.length; i++) output[i] = Math.tanh(output[i]);
          }
          for (let i = 0; i < exposed; i++) top[1 + i].data.set(part(start[i], steps, state));
        },
        backward({ engine, bottom, top, params, scratch, propagate, learn }: BackwardPass) {
          const { gates, hidden, carried, stillGates, hiddenDiff, memoryDiff, outputDiff } = scratch;
          const p = parts(params);
          const learns = (blob: Blob) => learn[params.indexOf(blob)];
          const continues = bottom[1].data;
          if (p.output === undefined) {
            outputDiff.set(top[0].diff);
          } else {
            const [w, b] = p.output;
            const { data: y, diff: dy } = top[0];
            // The gates of a layer with an output are as wide as it, and no longer needed.
            const sums = gates;
            for (let i = 0; i < y.length; i++) sums[i] = dy[i] * (1 - y[i] * y[i]);
            if (learns(w))
              engine.gemm(true, false, size, size, rows, 1, sums, hidden.subarray(state), 1, w.diff);
            if (learns(b)) sumOfRows(sums, b.diff);
            engine.gemm(false, false, rows, size, size, 1, sums, w.data, 0, outputDiff);
          }
          hiddenDiff.fill(0);
          memoryDiff.fill(0);
          for (let t = steps - 1; t >= 0; t--) {
            const fromOutput = part(outputDiff, t, state);
            for (let i = 0; i < state; i++) hiddenDiff[i] += fromOutput[i];
            const now = step(scratch, t);
            cell.backward(now, hiddenDiff, memoryDiff);
            engine.gemm(false, false, streams, size, width, 1, now.gates, p.hidden.data, 0, fromOutput);
            carry(fromOutput, continues, t, hiddenDiff);
          }
          if (learns(p.hidden))
            engine.gemm(true, false, width, size, rows, 1, gates, carried, 1, p.hidden.diff);
          if (learns(p.x))
            engine.gemm(true, false, width, inputSize, rows, 1, gates, bottom[0].data, 1, p.x.diff);
          if (learns(p.b)) sumOfRows(gates, p.b.diff);
          if (propagate[0])
            engine.gemm(false, false, rows, inputSize, width, 1, gates, p.x.data, 0, bottom[0].diff);
          if (p.still !== undefined) {
            stillGates.fill(0);
            sumOfRows(gates, stillGates);
            if (learns(p.still))
              engine.gemm(
                true,
                false,
                width,
                stillSize,
                streams,
                1,
                stillGates,
                bottom[2].data,
                1,
                p.still.diff,
              );
            if (propagate[2])
              engine.gemm(
                false,
                false,
                streams,
                stillSize,
                width,
                1,
                stillGates,
                p.still.data,
                0,
                bottom[2].diff,
              );
          }
          for (let i = firstState; i < bottom.length; i++) if (propagate[i]) bottom[i].diff.fill(0);
        },
      };
    },
  };
}

/** One step of an LSTM, as the net that Caffe unrolls has it: last cell state, gates' sums, `cont` to cell and hidden. */
const lstmUnit: LayerType = {
  bottoms: 3,
  tops: 2,
  noGradient: [2],
  plan(layer, [last, gates, cont]) {
    refuse(
      layer,
      last.length !== 3 || gates.length !== 3 || cont.length !== 2,
      phrase`the bottoms must be 1×N×H, 1×N×4H and 1×N, not ${[last, gates, cont].map(shapeText).join(', ')}`,
    );
    const [, streams, size] = last;
    refuse(
      layer,
      shapesDiffer(last, [1, streams, size]) ||
        shapesDiffer(gates, [1, streams, 4 * size]) ||
        shapesDiffer(cont, [1, streams]),
      phrase`the bottoms must be 1×N×H, 1×N×4H and 1×N, not ${[last, gates, cont].map(shapeText).join(', ')}`,
    );
    const step = (bottom: Blob[], top: Blob[], gates: Float32Array): Step => ({
      size,
      gates,
      last: bottom[0].data,
      cell: top[0].data,
      hidden: top[1].data,
    });
    return {
      tops: [last, last],
      scratch: { gates: count(gates), cellDiff: count(last) },
      forward({ bottom, top, scratch: { gates } }) {
        gates.set(bottom[1].data);
        lstmCell.forward(step(bottom, top, gates), bottom[2].data);
      },
      backward({ bottom, top, scratch: { gates, cellDiff }, propagate }) {
        cellDiff.set(top[0].diff);
        lstmCell.backward(step(bottom, top, gates), top[1].diff, cellDiff);
        if (propagate[0]) bottom[0].diff.set(cellDiff);
        if (propagate[1]) bottom[1].diff.set(gates);
      },
    };
  },
};

export const recurrentLayers: LayerTypes = {
  RNN: recurrent(tanhCell),
  LSTM: recurrent(lstmCell),
  LSTMUnit: lstmUnit,
};
