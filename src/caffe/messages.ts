export type Phase = 'TRAIN' | 'TEST';

export interface BlobShape {
  dim?: number[];
}

export interface FillerParameter {
  type?: string;
  value?: number;
  min?: number;
  max?: number;
  mean?: number;
  std?: number;
  sparse?: number;
  variance_norm?: 'FAN_IN' | 'FAN_OUT' | 'AVERAGE';
}

export interface NetParameter {
  name?: string;
  input?: string[];
  input_shape?: BlobShape[];
  input_dim?: number[];
  force_backward?: boolean;
  state?: NetState;
  debug_info?: boolean;
  layer: LayerParameter[];
}

export interface SolverParameter {
  net?: string;
  net_param?: NetParameter;
  train_net?: string;
  test_net?: string[];
  train_net_param?: NetParameter;
  test_net_param?: NetParameter[];
  train_state?: NetState;
  test_state?: NetState[];
  test_iter?: number[];
  test_interval?: number;
  test_compute_loss?: boolean;
  test_initialization?: boolean;
  base_lr?: number;
  display?: number;
  average_loss?: number;
  max_iter?: number;
  iter_size?: number;
  lr_policy?: string;
  gamma?: number;
  power?: number;
  momentum?: number;
  weight_decay?: number;
  regularization_type?: string;
  stepsize?: number;
  stepvalue?: number[];
  clip_gradients?: number;
  snapshot?: number;
  snapshot_prefix?: string;
  snapshot_diff?: boolean;
  snapshot_format?: 'HDF5' | 'BINARYPROTO';
  solver_mode?: 'CPU' | 'GPU';
  device_id?: number;
  random_seed?: number;
  type?: string;
  delta?: number;
  momentum2?: number;
  rms_decay?: number;
  debug_info?: boolean;
  snapshot_after_train?: boolean;
  solver_type?: 'SGD' | 'NESTEROV' | 'ADAGRAD' | 'RMSPROP' | 'ADADELTA' | 'ADAM';
  layer_wise_reduce?: boolean;
  weights?: string[];
}

export interface NetState {
  phase?: Phase;
  level?: number;
  stage?: string[];
}

export interface NetStateRule {
  phase?: Phase;
  min_level?: number;
  max_level?: number;
  stage?: string[];
  not_stage?: string[];
}

export interface ParamSpec {
  name?: string;
  share_mode?: 'STRICT' | 'PERMISSIVE';
  lr_mult?: number;
  decay_mult?: number;
}

export interface LayerParameter {
  name: string;
  type: string;
  bottom: string[];
  top: string[];
  phase?: Phase;
  loss_weight: number[];
  param: ParamSpec[];
  propagate_down: boolean[];
  include: NetStateRule[];
  exclude: NetStateRule[];
  transform_param?: TransformationParameter;
  loss_param?: LossParameter;
  accuracy_param?: AccuracyParameter;
  argmax_param?: ArgMaxParameter;
  batch_norm_param?: BatchNormParameter;
  bias_param?: BiasParameter;
  clip_param?: ClipParameter;
  concat_param?: ConcatParameter;
  contrastive_loss_param?: ContrastiveLossParameter;
  convolution_param?: ConvolutionParameter;
  crop_param?: CropParameter;
  data_param?: DataParameter;
  dropout_param?: DropoutParameter;
  dummy_data_param?: DummyDataParameter;
  eltwise_param?: EltwiseParameter;
  elu_param?: ELUParameter;
  embed_param?: EmbedParameter;
  exp_param?: ExpParameter;
  flatten_param?: FlattenParameter;
  hdf5_data_param?: HDF5DataParameter;
  hdf5_output_param?: HDF5OutputParameter;
  hinge_loss_param?: HingeLossParameter;
  image_data_param?: ImageDataParameter;
  infogain_loss_param?: InfogainLossParameter;
  inner_product_param?: InnerProductParameter;
  input_param?: InputParameter;
  log_param?: LogParameter;
  lrn_param?: LRNParameter;
  memory_data_param?: MemoryDataParameter;
  mvn_param?: MVNParameter;
  parameter_param?: ParameterParameter;
  pooling_param?: PoolingParameter;
  power_param?: PowerParameter;
  prelu_param?: PReLUParameter;
  python_param?: PythonParameter;
  recurrent_param?: RecurrentParameter;
  reduction_param?: ReductionParameter;
  relu_param?: ReLUParameter;
  reshape_param?: ReshapeParameter;
  scale_param?: ScaleParameter;
  softmax_param?: SoftmaxParameter;
  spp_param?: SPPParameter;
  slice_param?: SliceParameter;
  swish_param?: SwishParameter;
  threshold_param?: ThresholdParameter;
  tile_param?: TileParameter;
  window_data_param?: WindowDataParameter;
  /** Line in the prototxt, counted from 1. */
  line?: number;
  // Layers of forks.
  cconvolution_param?: CConvolutionParameter;
  cinner_product_param?: CInnerProductParameter;
  permute_param?: PermuteParameter;
  norm_param?: NormalizeParameter;
  prior_box_param?: PriorBoxParameter;
  detection_output_param?: DetectionOutputParameter;
  interp_param?: InterpParameter;
  upsample_param?: UpsampleParameter;
  shuffle_channel_param?: ShuffleChannelParameter;
}

export interface TransformationParameter {
  scale?: number;
  mirror?: boolean;
  crop_size?: number;
  mean_file?: string;
  mean_value?: number[];
  force_color?: boolean;
  force_gray?: boolean;
}

export interface LossParameter {
  ignore_label?: number;
  normalization?: 'FULL' | 'VALID' | 'BATCH_SIZE' | 'NONE';
  normalize?: boolean;
}

export interface AccuracyParameter {
  top_k?: number;
  axis?: number;
  ignore_label?: number;
}

export interface ArgMaxParameter {
  out_max_val?: boolean;
  top_k?: number;
  axis?: number;
}

export interface ClipParameter {
  min?: number;
  max?: number;
}

export interface ConcatParameter {
  axis?: number;
  concat_dim?: number;
}

export interface BatchNormParameter {
  use_global_stats?: boolean;
  moving_average_fraction?: number;
  eps?: number;
}

export interface BiasParameter {
  axis?: number;
  num_axes?: number;
  filler?: FillerParameter;
}

export interface ContrastiveLossParameter {
  margin?: number;
  legacy_version?: boolean;
}

export interface ConvolutionParameter {
  num_output?: number;
  bias_term?: boolean;
  pad?: number[];
  kernel_size?: number[];
  stride?: number[];
  dilation?: number[];
  pad_h?: number;
  pad_w?: number;
  kernel_h?: number;
  kernel_w?: number;
  stride_h?: number;
  stride_w?: number;
  group?: number;
  weight_filler?: FillerParameter;
  bias_filler?: FillerParameter;
  axis?: number;
  force_nd_im2col?: boolean;
}

export interface CropParameter {
  axis?: number;
  offset?: number[];
}

export interface DataParameter {
  source?: string;
  batch_size?: number;
  rand_skip?: number;
  backend?: 'LEVELDB' | 'LMDB';
  scale?: number;
  mean_file?: string;
  crop_size?: number;
  mirror?: boolean;
  force_encoded_color?: boolean;
  prefetch?: number;
}

export interface DropoutParameter {
  dropout_ratio?: number;
}

export interface DummyDataParameter {
  data_filler?: FillerParameter[];
  shape?: BlobShape[];
  num?: number[];
  channels?: number[];
  height?: number[];
  width?: number[];
}

export interface EltwiseParameter {
  operation?: 'PROD' | 'SUM' | 'MAX';
  coeff?: number[];
  stable_prod_grad?: boolean;
}

export interface ELUParameter {
  alpha?: number;
}

export interface EmbedParameter {
  num_output?: number;
  input_dim?: number;
  bias_term?: boolean;
  weight_filler?: FillerParameter;
  bias_filler?: FillerParameter;
}

export interface ExpParameter {
  base?: number;
  scale?: number;
  shift?: number;
}

export interface FlattenParameter {
  axis?: number;
  end_axis?: number;
}

export interface HDF5DataParameter {
  source?: string;
  batch_size?: number;
  shuffle?: boolean;
}

export interface HDF5OutputParameter {
  file_name?: string;
}

export interface HingeLossParameter {
  norm?: 'L1' | 'L2';
}

export interface ImageDataParameter {
  source?: string;
  batch_size?: number;
  rand_skip?: number;
  shuffle?: boolean;
  new_height?: number;
  new_width?: number;
  is_color?: boolean;
  scale?: number;
  mean_file?: string;
  crop_size?: number;
  mirror?: boolean;
  root_folder?: string;
}

export interface InfogainLossParameter {
  source?: string;
  axis?: number;
}

export interface InnerProductParameter {
  num_output?: number;
  bias_term?: boolean;
  weight_filler?: FillerParameter;
  bias_filler?: FillerParameter;
  axis?: number;
  transpose?: boolean;
}

export interface InputParameter {
  shape?: BlobShape[];
}

export interface LogParameter {
  base?: number;
  scale?: number;
  shift?: number;
}

export interface LRNParameter {
  local_size?: number;
  alpha?: number;
  beta?: number;
  norm_region?: 'ACROSS_CHANNELS' | 'WITHIN_CHANNEL';
  k?: number;
}

export interface MemoryDataParameter {
  batch_size?: number;
  channels?: number;
  height?: number;
  width?: number;
}

export interface MVNParameter {
  normalize_variance?: boolean;
  across_channels?: boolean;
  eps?: number;
}

export interface ParameterParameter {
  shape?: BlobShape;
}

export interface PoolingParameter {
  pool?: 'MAX' | 'AVE' | 'STOCHASTIC';
  pad?: number;
  pad_h?: number;
  pad_w?: number;
  kernel_size?: number;
  kernel_h?: number;
  kernel_w?: number;
  stride?: number;
  stride_h?: number;
  stride_w?: number;
  global_pooling?: boolean;
  round_mode?: 'CEIL' | 'FLOOR';
}

export interface PowerParameter {
  power?: number;
  scale?: number;
  shift?: number;
}

export interface PythonParameter {
  module?: string;
  layer?: string;
  param_str?: string;
  share_in_parallel?: boolean;
}

export interface RecurrentParameter {
  num_output?: number;
  weight_filler?: FillerParameter;
  bias_filler?: FillerParameter;
  debug_info?: boolean;
  expose_hidden?: boolean;
}

export interface ReductionParameter {
  operation?: 'SUM' | 'ASUM' | 'SUMSQ' | 'MEAN';
  axis?: number;
  coeff?: number;
}

export interface ReLUParameter {
  negative_slope?: number;
}

export interface ReshapeParameter {
  shape?: BlobShape;
  axis?: number;
  num_axes?: number;
}

export interface ScaleParameter {
  axis?: number;
  num_axes?: number;
  filler?: FillerParameter;
  bias_term?: boolean;
  bias_filler?: FillerParameter;
}

export interface SliceParameter {
  axis?: number;
  slice_point?: number[];
  slice_dim?: number;
}

export interface SoftmaxParameter {
  axis?: number;
}

export interface SwishParameter {
  beta?: number;
}

export interface TileParameter {
  axis?: number;
  tiles?: number;
}

export interface ThresholdParameter {
  threshold?: number;
}

export interface WindowDataParameter {
  source?: string;
  scale?: number;
  mean_file?: string;
  batch_size?: number;
  crop_size?: number;
  mirror?: boolean;
  fg_threshold?: number;
  bg_threshold?: number;
  fg_fraction?: number;
  context_pad?: number;
  crop_mode?: string;
  cache_images?: boolean;
  root_folder?: string;
}

export interface SPPParameter {
  pyramid_height?: number;
  pool?: 'MAX' | 'AVE' | 'STOCHASTIC';
}

export interface PReLUParameter {
  filler?: FillerParameter;
  channel_shared?: boolean;
}

/** Dynamic Network Surgery: an ordinary convolution with masks. */
export interface CConvolutionParameter {
  gamma?: number;
  power?: number;
  iter_stop?: number;
  c_rate?: number;
  weight_mask_filler?: FillerParameter;
  bias_mask_filler?: FillerParameter;
}

export type CInnerProductParameter = CConvolutionParameter;

/** SSD. */
export interface PermuteParameter {
  order?: number[];
}

export interface NormalizeParameter {
  across_spatial?: boolean;
  scale_filler?: FillerParameter;
  channel_shared?: boolean;
  eps?: number;
}

export interface PriorBoxParameter {
  min_size?: number[];
  max_size?: number[];
  aspect_ratio?: number[];
  flip?: boolean;
  clip?: boolean;
  variance?: number[];
  img_size?: number;
  img_h?: number;
  img_w?: number;
  step?: number;
  step_h?: number;
  step_w?: number;
  offset?: number;
}

export interface NonMaximumSuppressionParameter {
  nms_threshold?: number;
  top_k?: number;
  eta?: number;
}

export interface DetectionOutputParameter {
  num_classes?: number;
  share_location?: boolean;
  background_label_id?: number;
  nms_param?: NonMaximumSuppressionParameter;
  code_type?: 'CORNER' | 'CENTER_SIZE' | 'CORNER_SIZE';
  variance_encoded_in_target?: boolean;
  keep_top_k?: number;
  confidence_threshold?: number;
}

/** DeepLab, PSPNet. */
export interface InterpParameter {
  height?: number;
  width?: number;
  zoom_factor?: number;
  shrink_factor?: number;
  pad_beg?: number;
  pad_end?: number;
}

/** SegNet, and the one-bottom Upsample of YOLO conversions. */
export interface UpsampleParameter {
  scale?: number;
  scale_h?: number;
  scale_w?: number;
  pad_out_h?: boolean;
  pad_out_w?: boolean;
  upsample_h?: number;
  upsample_w?: number;
}

/** ShuffleNet. */
export interface ShuffleChannelParameter {
  group?: number;
}
