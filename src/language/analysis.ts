import { CaffeError } from '../caffe/errors';
import type { LayerParameter } from '../caffe/messages';
import { CheckedLayers } from '../caffe/prototxt/checkFields';
import { diagnose, type Knowledge } from '../caffe/prototxt/diagnose';
import type { Diagnostic } from '../caffe/prototxt/diagnostic';
import { fileKind, type FileKind } from '../caffe/prototxt/fileKind';
import { netsOf, type LayerText, type NetText } from '../caffe/prototxt/netText';
import { parsePrototxt } from '../caffe/prototxt/parser';
import type { MessageNode, Prototxt } from '../caffe/prototxt/tree';
import { LayersRead, readNet, type ReadNet } from '../caffe/readNet';
import type { Phase } from '../network/layer';
import { inferShapes, type InferredLayer, type InferredNet, type PlansMade } from '../network/shapes';

export const phases: readonly Phase[] = ['TRAIN', 'TEST'];

/** What the analysis of one version of a text leaves for the next, most layers of which are the same. */
export class Former {
  readonly read = new LayersRead();
  readonly checked = new CheckedLayers();
  readonly plans: Readonly<Record<Phase, PlansMade>> = { TRAIN: new WeakMap(), TEST: new WeakMap() };
}

/** What is known of one version of a prototxt. Each part is worked out when it is first asked for, and once. */
export class Analysis {
  readonly prototxt: Prototxt;
  private readonly inferred = new Map<Phase, InferredNet | undefined>();
  private readonly inferredLayers = new Map<Phase, ReadonlyMap<LayerParameter, InferredLayer>>();

  constructor(
    text: string,
    /** The shapes of a data layer's tops, where its source is known. */
    private readonly sourceShapes?: (layer: LayerParameter, phase: Phase) => number[][] | undefined,
    private readonly former = new Former(),
  ) {
    this.prototxt = parsePrototxt(text);
  }

  readonly kind = once((): FileKind => fileKind(this.prototxt.root));
  /** The nets of the file as its text has them; those inside a solver too. */
  readonly nets = once((): NetText[] => netsOf(this.prototxt));

  /** The file as a net, or why it is none; undefined for a file of another kind. */
  readonly read = once((): ReadNet | CaffeError | undefined => {
    if (this.kind() !== 'NetParameter') return undefined;
    try {
      return readNet(this.prototxt, this.former.read);
    } catch (error) {
      if (error instanceof CaffeError) return error;
      throw error;
    }
  });

  /** Everything that is wrong with the file, or could be better. */
  problems(knowledge: Pick<Knowledge, 'model' | 'exists'> = {}): Diagnostic[] {
    const read = this.read();
    return diagnose(this.prototxt, {
      ...knowledge,
      read: read && 'net' in read ? read : undefined,
      checked: this.former.checked,
      inferShapes: (net, phase) => this.shapes(phase) ?? inferShapes(net, { phase }),
    });
  }

  /** The layers by their braces in the text. */
  readonly layersByNode = once((): ReadonlyMap<MessageNode, LayerParameter> => {
    const read = this.read();
    return read && 'net' in read ? new Map([...read.nodes].map(([layer, node]) => [node, layer])) : new Map();
  });

  /** Shapes and costs of the net in a phase; undefined for a file that is no net. */
  shapes(phase: Phase): InferredNet | undefined {
    if (!this.inferred.has(phase)) {
      const read = this.read();
      const net =
        read && 'net' in read
          ? inferShapes(
              read.net,
              { phase },
              {
                sourceShapes: (layer) => this.sourceShapes?.(layer, phase),
                plans: this.former.plans[phase],
              },
            )
          : undefined;
      this.inferred.set(phase, net && net.layers.length > 0 ? net : undefined);
      this.inferredLayers.set(phase, new Map(net?.layers.map((layer) => [layer.layer, layer])));
    }
    return this.inferred.get(phase);
  }

  /** What shape inference tells of a layer, in the phases that it takes part in. */
  shapesOf(layer: LayerText): { phase: Phase; inferred: InferredLayer }[] {
    const parameter = this.layersByNode().get(layer.node);
    if (!parameter) return [];
    return phases.flatMap((phase) => {
      const inferred = this.shapes(phase) && this.inferredLayers.get(phase)?.get(parameter);
      return inferred ? [{ phase, inferred }] : [];
    });
  }

  /** What shape inference tells of a layer in the phase that tells most. */
  bestShapesOf(layer: LayerText): InferredLayer | undefined {
    const all = this.shapesOf(layer).map(({ inferred }) => inferred);
    return all.find(({ plan }) => plan !== undefined) ?? all[0];
  }

  /** The phase in which the net is drawn and counted unless told otherwise: the one whose shapes are known best. */
  readonly mainPhase = once((): Phase => {
    const known = (phase: Phase) =>
      this.shapes(phase)?.layers.filter(({ plan }) => plan !== undefined).length ?? 0;
    return known('TRAIN') > known('TEST') ? 'TRAIN' : 'TEST';
  });

  /** The layer whose braces hold the offset. */
  layerAt(offset: number): LayerText | undefined {
    for (const net of this.nets())
      for (const layer of net.layers)
        if ((layer.node.field?.start ?? layer.node.start) <= offset && offset <= layer.node.end) return layer;
    return undefined;
  }
}

/** A function that computes its value at the first call. */
function once<Value>(compute: () => Value): () => Value {
  let value: { is: Value } | undefined;
  return () => (value ??= { is: compute() }).is;
}
