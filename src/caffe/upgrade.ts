import { phrase } from '../phrase';
import { CaffeError } from './errors';
import { v0LayerType, v1LayerTypeByName } from './layerTypes';
import type {
  LayerParameter,
  NetParameter,
  ParamSpec,
  SolverParameter,
  TransformationParameter,
  V0LayerParameter,
  V1LayerParameter,
} from './messages';

/**
 * Brings a net of any year to the current syntax, as Caffe does when it reads one (util/upgrade_proto.cpp): layers of
 * 2013 and 2014 become `layer`, padding layers become the `pad` of the layer after them, image settings move to
 * `transform_param`, `input` becomes an Input layer, and the three statistics of BatchNorm are never trained.
 * The net that is given stays as it is.
 * @throws CaffeError when it mixes `layer` and `layers`
 */
export function upgradeNet(net: NetParameter): NetParameter {
  const { layers, input, input_shape, input_dim, ...rest } = net;
  if (layers && net.layer.length > 0)
    throw new CaffeError(phrase`The net has both \`layer\` and \`layers\``, {
      line: net.layer[0].line,
      advice: phrase`Write all layers as \`layer\``,
    });
  const v1 = layers?.some((layer) => layer.layer) ? upgradeV0(layers) : layers;
  const layer = (v1?.map((one) => upgradeV1(withTransformParam(one))) ?? net.layer).map(freezeStatistics);
  const inputs = inputLayer({ input, input_shape, input_dim });
  return { ...rest, layer: inputs ? [inputs, ...layer] : layer };
}

/** The enumerated `solver_type` becomes `type`. @throws CaffeError when both are set */
export function upgradeSolver(solver: SolverParameter): SolverParameter {
  const { solver_type, ...rest } = solver;
  if (solver_type === undefined) return solver;
  if (solver.type !== undefined)
    throw new CaffeError(phrase`The solver has both \`type\` and \`solver_type\``, {
      advice: phrase`Remove \`solver_type\``,
    });
  return { ...rest, type: solverTypes[solver_type] };
}

/** Today's `type` for each old `solver_type`. */
export const solverTypes: Readonly<Record<NonNullable<SolverParameter['solver_type']>, string>> = {
  SGD: 'SGD',
  NESTEROV: 'Nesterov',
  ADAGRAD: 'AdaGrad',
  RMSPROP: 'RMSProp',
  ADADELTA: 'AdaDelta',
  ADAM: 'Adam',
  SAG: 'SAG',
};

/** Where the fields of a layer of 2013 went: by its type, or for every type under `''`. */
const v0Fields: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  num_output: { conv: 'convolution_param.num_output', innerproduct: 'inner_product_param.num_output' },
  biasterm: { conv: 'convolution_param.bias_term', innerproduct: 'inner_product_param.bias_term' },
  weight_filler: {
    conv: 'convolution_param.weight_filler',
    innerproduct: 'inner_product_param.weight_filler',
  },
  bias_filler: { conv: 'convolution_param.bias_filler', innerproduct: 'inner_product_param.bias_filler' },
  pad: { conv: 'convolution_param.pad[]', pool: 'pooling_param.pad' },
  kernelsize: { conv: 'convolution_param.kernel_size[]', pool: 'pooling_param.kernel_size' },
  group: { conv: 'convolution_param.group' },
  stride: { conv: 'convolution_param.stride[]', pool: 'pooling_param.stride' },
  pool: { pool: 'pooling_param.pool' },
  dropout_ratio: { dropout: 'dropout_param.dropout_ratio' },
  local_size: { lrn: 'lrn_param.local_size' },
  alpha: { lrn: 'lrn_param.alpha' },
  beta: { lrn: 'lrn_param.beta' },
  k: { lrn: 'lrn_param.k' },
  source: {
    data: 'data_param.source',
    hdf5_data: 'hdf5_data_param.source',
    images: 'image_data_param.source',
    window_data: 'window_data_param.source',
    infogain_loss: 'infogain_loss_param.source',
  },
  batchsize: {
    data: 'data_param.batch_size',
    hdf5_data: 'hdf5_data_param.batch_size',
    images: 'image_data_param.batch_size',
    window_data: 'window_data_param.batch_size',
  },
  scale: { '': 'transform_param.scale' },
  meanfile: { '': 'transform_param.mean_file' },
  cropsize: { '': 'transform_param.crop_size' },
  mirror: { '': 'transform_param.mirror' },
  rand_skip: { data: 'data_param.rand_skip', images: 'image_data_param.rand_skip' },
  shuffle_images: { images: 'image_data_param.shuffle' },
  new_height: { images: 'image_data_param.new_height' },
  new_width: { images: 'image_data_param.new_width' },
  concat_dim: { concat: 'concat_param.concat_dim' },
  det_fg_threshold: { window_data: 'window_data_param.fg_threshold' },
  det_bg_threshold: { window_data: 'window_data_param.bg_threshold' },
  det_fg_fraction: { window_data: 'window_data_param.fg_fraction' },
  det_context_pad: { window_data: 'window_data_param.context_pad' },
  det_crop_mode: { window_data: 'window_data_param.crop_mode' },
};

/** Layers as V1 layers whose `type` is today's name already. */
type Upgraded = Omit<V1LayerParameter, 'type'> & { type?: string };

function upgradeV0(layers: readonly V1LayerParameter[]): Upgraded[] {
  return withoutPadding(layers).map((connection) => {
    const old = connection.layer;
    const { bottom, top, line } = connection;
    if (!old) return { bottom, top, line };
    const layer: Upgraded = { name: old.name, bottom, top, line };
    if (old.type !== undefined) layer.type = v0LayerType(old.type);
    for (const key of ['blobs', 'blobs_lr', 'weight_decay', 'hdf5_output_param'] as const)
      if (old[key] !== undefined) Object.assign(layer, { [key]: old[key] });
    for (const [field, value] of Object.entries(old)) {
      const place = v0Fields[field]?.[old.type ?? ''] ?? v0Fields[field]?.[''];
      if (place) setAt(layer as Record<string, unknown>, place, value);
    }
    return layer;
  });
}

function setAt(layer: Record<string, unknown>, place: string, value: unknown): void {
  const [message, field] = place.split('.');
  const list = field.endsWith('[]');
  const target = (layer[message] ??= {}) as Record<string, unknown>;
  target[list ? field.slice(0, -2) : field] = list ? [value] : value;
}

/** A padding layer gives its `pad` and its bottom to the convolution or pooling after it. */
function withoutPadding(layers: readonly V1LayerParameter[]): V1LayerParameter[] {
  const producers = new Map<string, V1LayerParameter>();
  const kept: V1LayerParameter[] = [];
  for (const connection of layers) {
    let current = connection;
    for (const [index, blob] of (connection.bottom ?? []).entries()) {
      const source = producers.get(blob);
      if (source?.layer?.type !== 'padding') continue;
      const bottom = [...(current.bottom ?? [])];
      bottom[index] = source.bottom?.[0] ?? blob;
      const layer: V0LayerParameter = { ...current.layer, pad: source.layer.pad ?? 0 };
      current = { ...current, bottom, layer };
    }
    if (connection.layer?.type !== 'padding') kept.push(current);
    for (const blob of connection.top ?? []) producers.set(blob, connection);
  }
  return kept;
}

/** The image settings of data layers moved to `transform_param`. */
function withTransformParam(layer: V1LayerParameter | Upgraded): Upgraded {
  const type = typeof layer.type === 'string' ? (v1LayerTypeByName(layer.type) ?? layer.type) : undefined;
  const upgraded: Upgraded = { ...layer, type };
  for (const key of ['data_param', 'image_data_param', 'window_data_param'] as const) {
    const old = upgraded[key];
    if (
      !old ||
      type !== { data_param: 'Data', image_data_param: 'ImageData', window_data_param: 'WindowData' }[key]
    )
      continue;
    const { scale, mean_file, crop_size, mirror, ...rest } = old;
    const moved: TransformationParameter = definedOnly({ scale, mean_file, crop_size, mirror });
    if (Object.keys(moved).length === 0) continue;
    Object.assign(upgraded, { [key]: rest, transform_param: { ...upgraded.transform_param, ...moved } });
  }
  return upgraded;
}

function upgradeV1(old: Upgraded): LayerParameter {
  const {
    name = '',
    type = '',
    bottom = [],
    top = [],
    param: names = [],
    blob_share_mode: modes = [],
    blobs_lr: rates = [],
    weight_decay: decays = [],
    include = [],
    exclude = [],
    loss_weight = [],
    layer: _,
    ...rest
  } = old;
  const count = Math.max(names.length, modes.length, rates.length, decays.length);
  const param = Array.from({ length: count }, (_, index): ParamSpec =>
    definedOnly({
      name: names[index],
      share_mode: modes[index],
      lr_mult: rates[index],
      decay_mult: decays[index],
    }),
  );
  return { name, type, bottom, top, param, include, exclude, loss_weight, propagate_down: [], ...rest };
}

function freezeStatistics(layer: LayerParameter): LayerParameter {
  if (layer.type !== 'BatchNorm' || layer.param.length !== 3) return layer;
  if (layer.param.every(({ lr_mult, decay_mult }) => lr_mult === 0 && decay_mult === 0)) return layer;
  return { ...layer, param: layer.param.map((param) => ({ ...param, lr_mult: 0, decay_mult: 0 })) };
}

/** The Input layer for `input` with shapes; without shapes the inputs are dropped, as they hold nothing. */
function inputLayer(
  net: Pick<NetParameter, 'input' | 'input_shape' | 'input_dim'>,
): LayerParameter | undefined {
  const { input, input_shape: shapes, input_dim: dims } = net;
  if (!input || !(shapes ?? dims)) return undefined;
  const shape = input.map(
    (_, index) => shapes?.[index] ?? { dim: dims?.slice(index * 4, index * 4 + 4) ?? [] },
  );
  return {
    name: 'input',
    type: 'Input',
    bottom: [],
    top: input,
    loss_weight: [],
    param: [],
    propagate_down: [],
    include: [],
    exclude: [],
    input_param: { shape },
  };
}

const definedOnly = <T extends object>(object: T): T =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
