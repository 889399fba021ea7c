// Written by scripts/messages.mjs from caffe.proto; change that file, then run the script.
// Enums are their names; a field that a file does not set is undefined, whatever its default.

/** What a net is run for. */
export type Phase = 'TRAIN' | 'TEST';

/** The code that computes a layer. It never changes what the layer means. */
export type Engine = 'DEFAULT' | 'CAFFE' | 'CUDNN' | 'MKL2017' | 'MKLDNN';

/** What becomes of the values under a pooling window. */
export type PoolMethod = 'MAX' | 'AVE' | 'STOCHASTIC';

/** How alike two shared parameter blobs must be. */
export type DimCheckMode = 'STRICT' | 'PERMISSIVE';

/** Which zero weights a sparse fork keeps at zero while it trains. */
export type ConnectivityMode = 'CONNECTED' | 'DISCONNECTED_ELTWISE' | 'DISCONNECTED_GRPWISE';

/** A net: its layers, in the order they run. */
export interface NetParameter {
  /** Name of the net; it shows in logs only. */
  name?: string;
  /** One layer. A layer's bottoms are tops of layers above it. */
  layer: LayerParameter[];
  /** Phase, level and stages against which the include and exclude rules of layers are tested. */
  state?: NetState;
  /** Run backward through every layer, even where no parameter needs the gradient. */
  force_backward?: boolean;
  /** Log the mean magnitude of every blob and gradient in each pass. */
  debug_info?: boolean;
  /** Name of a blob that is fed from outside. Deprecated: write a layer of type Input. */
  input?: string[];
  /** Shape of the input of the same position. Deprecated: write a layer of type Input. */
  input_shape?: BlobShape[];
  /** Four numbers for each input: batch, channels, height, width. Deprecated: write a layer of type Input. */
  input_dim?: number[];
  /** A layer in the syntax of 2014, with enumerated types. Deprecated: write `layer`. */
  layers?: V1LayerParameter[];
  /** Engine of all layers that name none (Intel Caffe). */
  engine?: string;
  /** What Intel Caffe did to the net when it compiled it. */
  compile_net_state?: CompileNetState;
  /** Batch size over which batch normalisation takes its statistics (Intel Caffe). */
  bn_stats_batch_size?: number;
  /** How the net is spread over machines (Intel Caffe). */
  multinode?: MultinodeParameter;
  /** How blobs share memory in the fork that optimises it. */
  mem_param?: MemoryOptimizationParameter;
  /** Number type of activations (NVCaffe). */
  default_forward_type?: Type;
  /** Number type of gradients (NVCaffe). */
  default_backward_type?: Type;
  /** Number type in which forward computes (NVCaffe). */
  default_forward_math?: Type;
  /** Number type in which backward computes (NVCaffe). */
  default_backward_math?: Type;
  /** Factor on the loss that keeps half-precision gradients from vanishing (NVCaffe). */
  global_grad_scale?: number;
  /** Let that factor follow the gradients (NVCaffe). */
  global_grad_scale_adaptive?: boolean;
  /** cuDNN algorithms for forward, backward to data and backward to weights; -1 leaves the choice to the search (NVCaffe). */
  default_conv_algos_override?: string;
  /** Number of portions in which gradients are summed over GPUs (NVCaffe). */
  reduce_buckets?: number;
  /** cuDNN math mode of all layers; -1 leaves it alone (NVCaffe). */
  default_cudnn_math_override?: number;
  /** Let Eltwise layers share memory with their bottoms (NVCaffe). */
  eltwise_mem_sharing?: boolean;
}

/** The situation in which a net is built. */
export interface NetState {
  /** Training or testing. */
  phase?: Phase;
  /** A number that rules of layers can bound. */
  level?: number;
  /** A label that rules of layers can ask for. */
  stage?: string[];
}

/** A condition on the net's state. All that it sets must hold. */
export interface NetStateRule {
  /** Holds in this phase only. */
  phase?: Phase;
  /** Holds from this level upwards. */
  min_level?: number;
  /** Holds up to this level. */
  max_level?: number;
  /** The state must have this stage; several are all required. */
  stage?: string[];
  /** The state must not have this stage. */
  not_stage?: string[];
}

/** How one parameter blob of a layer is trained and shared. The first `param` is the weight, the second the bias. */
export interface ParamSpec {
  /** Layers whose parameters have the same name share the values. */
  name?: string;
  /** How alike the shapes of shared parameters must be. */
  share_mode?: DimCheckMode;
  /** Factor on the learning rate; 0 freezes the blob. */
  lr_mult?: number;
  /** Factor on the weight decay; biases often have 0. */
  decay_mult?: number;
  /** Factor on the group lasso over rows (SSL forks). */
  breadth_decay_mult?: number;
  /** Factor on the group lasso over columns (SSL forks). */
  kernel_shape_decay_mult?: number;
  /** Regularisation of this blob alone (SSL forks). */
  regularization_type?: string;
  /** Blocks of the weight matrix that are pulled to zero together (SSL forks). */
  block_group_lasso?: BlockGroupLassoSpec[];
}

/** Size and strength of one group lasso over blocks. */
export interface BlockGroupLassoSpec {
  /** Columns of a block. */
  xdimen?: number;
  /** Rows of a block. */
  ydimen?: number;
  /** Factor on the block decay. */
  block_decay_mult?: number;
}

/** One layer: a type, blobs that go in and come out, and the parameters of that type. */
export interface LayerParameter {
  /** Name of the layer. Weights in a caffemodel are matched by it, so it must be unique. */
  name: string;
  /** What the layer computes, such as Convolution. */
  type: string;
  /** A blob that goes in. */
  bottom: string[];
  /** A blob that comes out. The same name as a bottom means that the layer works in place. */
  top: string[];
  /** Training settings of one parameter blob: first the weight, then the bias. */
  param: ParamSpec[];
  /** Use the layer only where one of these rules holds. Not together with exclude. */
  include: NetStateRule[];
  /** Leave the layer out where one of these rules holds. Not together with include. */
  exclude: NetStateRule[];
  /** How much each top counts in the objective; loss layers have 1 for their first top by default. */
  loss_weight: number[];
  /** Force (true) or forbid (false) the gradient to each bottom. None, or one for each bottom. */
  propagate_down: boolean[];
  /** Phase of the layer; Caffe fills it from the net's state. */
  phase?: Phase;
  /** The parameters themselves; present in caffemodel files. */
  blobs?: BlobProto[];
  /** What is done to images on their way in. */
  transform_param?: TransformationParameter;
  /** Labels to ignore and the normalisation of a loss. */
  loss_param?: LossParameter;
  /** Parameters of Convolution and Deconvolution, also of their depthwise forks. */
  convolution_param?: ConvolutionParameter;
  /** Parameters of InnerProduct. */
  inner_product_param?: InnerProductParameter;
  /** Parameters of Pooling. */
  pooling_param?: PoolingParameter;
  /** Parameters of ReLU. */
  relu_param?: ReLUParameter;
  /** Parameters of BatchNorm. */
  batch_norm_param?: BatchNormParameter;
  /** Parameters of Scale. */
  scale_param?: ScaleParameter;
  /** Parameters of Data, which reads a database. */
  data_param?: DataParameter;
  /** Parameters of Input. */
  input_param?: InputParameter;
  /** Parameters of Dropout. */
  dropout_param?: DropoutParameter;
  /** Parameters of LRN. */
  lrn_param?: LRNParameter;
  /** Parameters of Eltwise. */
  eltwise_param?: EltwiseParameter;
  /** Parameters of Concat. */
  concat_param?: ConcatParameter;
  /** Parameters of Softmax and SoftmaxWithLoss. */
  softmax_param?: SoftmaxParameter;
  /** Parameters of Accuracy. */
  accuracy_param?: AccuracyParameter;
  /** Parameters of ArgMax. */
  argmax_param?: ArgMaxParameter;
  /** Parameters of Bias. */
  bias_param?: BiasParameter;
  /** Parameters of Clip. */
  clip_param?: ClipParameter;
  /** Parameters of ContrastiveLoss. */
  contrastive_loss_param?: ContrastiveLossParameter;
  /** Parameters of Crop. */
  crop_param?: CropParameter;
  /** Parameters of DummyData. */
  dummy_data_param?: DummyDataParameter;
  /** Parameters of ELU. */
  elu_param?: ELUParameter;
  /** Parameters of Embed. */
  embed_param?: EmbedParameter;
  /** Parameters of Exp. */
  exp_param?: ExpParameter;
  /** Parameters of Flatten. */
  flatten_param?: FlattenParameter;
  /** Parameters of HDF5Data. */
  hdf5_data_param?: HDF5DataParameter;
  /** Parameters of HDF5Output. */
  hdf5_output_param?: HDF5OutputParameter;
  /** Parameters of HingeLoss. */
  hinge_loss_param?: HingeLossParameter;
  /** Parameters of ImageData. */
  image_data_param?: ImageDataParameter;
  /** Parameters of InfogainLoss. */
  infogain_loss_param?: InfogainLossParameter;
  /** Parameters of Log. */
  log_param?: LogParameter;
  /** Parameters of MemoryData. */
  memory_data_param?: MemoryDataParameter;
  /** Parameters of MVN. */
  mvn_param?: MVNParameter;
  /** Parameters of Parameter. */
  parameter_param?: ParameterParameter;
  /** Parameters of Power. */
  power_param?: PowerParameter;
  /** Parameters of PReLU. */
  prelu_param?: PReLUParameter;
  /** Parameters of Python. */
  python_param?: PythonParameter;
  /** Parameters of RNN and LSTM. */
  recurrent_param?: RecurrentParameter;
  /** Parameters of Reduction. */
  reduction_param?: ReductionParameter;
  /** Parameters of Reshape. */
  reshape_param?: ReshapeParameter;
  /** Parameters of Sigmoid. */
  sigmoid_param?: SigmoidParameter;
  /** Parameters of Slice. */
  slice_param?: SliceParameter;
  /** Parameters of SPP. */
  spp_param?: SPPParameter;
  /** Parameters of Swish. */
  swish_param?: SwishParameter;
  /** Parameters of TanH. */
  tanh_param?: TanHParameter;
  /** Parameters of Threshold. */
  threshold_param?: ThresholdParameter;
  /** Parameters of Tile. */
  tile_param?: TileParameter;
  /** Parameters of WindowData. */
  window_data_param?: WindowDataParameter;
  /** Parameters of Permute (SSD). */
  permute_param?: PermuteParameter;
  /** Parameters of Normalize (SSD). */
  norm_param?: NormalizeParameter;
  /** Parameters of PriorBox (SSD). */
  prior_box_param?: PriorBoxParameter;
  /** Parameters of DetectionOutput (SSD). */
  detection_output_param?: DetectionOutputParameter;
  /** Parameters of MultiBoxLoss (SSD). */
  multibox_loss_param?: MultiBoxLossParameter;
  /** Parameters of AnnotatedData (SSD). */
  annotated_data_param?: AnnotatedDataParameter;
  /** Parameters of DetectionEvaluate (SSD). */
  detection_evaluate_param?: DetectionEvaluateParameter;
  /** Parameters of VideoData (SSD). */
  video_data_param?: VideoDataParameter;
  /** Parameters of ROIPooling (Fast R-CNN). */
  roi_pooling_param?: ROIPoolingParameter;
  /** Parameters of PSROIPooling (R-FCN). */
  psroi_pooling_param?: PSROIPoolingParameter;
  /** Parameters of SmoothL1Loss (Fast R-CNN). */
  smooth_l1_loss_param?: SmoothL1LossParameter;
  /** Parameters of BoxAnnotatorOHEM (R-FCN). */
  box_annotator_ohem_param?: BoxAnnotatorOHEMParameter;
  /** Parameters of Proposal (Faster R-CNN without Python). */
  proposal_param?: ProposalParameter;
  /** Parameters of Reorg (YOLO). */
  reorg_param?: ReorgParameter;
  /** Parameters of RegionLoss (YOLO). */
  region_loss_param?: RegionLossParameter;
  /** Parameters of EvalDetection (YOLO). */
  eval_detection_param?: EvalDetectionParameter;
  /** Parameters of ReLU6 (MobileNet). */
  relu6_param?: ReLU6Parameter;
  /** Parameters of Interp (DeepLab, PSPNet). */
  interp_param?: InterpParameter;
  /** Parameters of Upsample (SegNet, YOLO). */
  upsample_param?: UpsampleParameter;
  /** Parameters of ShuffleChannel (ShuffleNet). */
  shuffle_channel_param?: ShuffleChannelParameter;
  /** Parameters of BN (SegNet, PSPNet). */
  bn_param?: BNParameter;
  /** Parameters of DenseImageData (SegNet). */
  dense_image_data_param?: DenseImageDataParameter;
  /** Parameters of FocalLoss. */
  focal_loss_param?: FocalLossParameter;
  /** Parameters of CenterLoss. */
  center_loss_param?: CenterLossParameter;
  /** Parameters of TripletLoss. */
  triplet_loss_param?: TripletLossParameter;
  /** Parameters of CTCLoss. */
  ctc_loss_param?: CTCLossParameter;
  /** Parameters of the LSTM layers of forks. */
  lstm_param?: RecurrentParameter;
  /** Parameters of BatchReduction (temporal segment networks). */
  batch_reduction_param?: BatchReductionParameter;
  /** Parameters of Resize, in forks that have it. */
  resize_param?: ResizeLayerParameter;
  /** Parameters of Reverse. */
  reverse_param?: ReverseParameter;
  /** Parameters of LabelSpecificAdd (margin losses for faces). */
  label_specific_add_param?: LabelSpecificMarginParameter;
  /** Parameters of CConvolution: how its mask changes (Dynamic Network Surgery). */
  cconvolution_param?: CConvolutionParameter;
  /** Parameters of CInnerProduct: how its mask changes (Dynamic Network Surgery). */
  cinner_product_param?: CInnerProductParameter;
  /** Which zero weights stay zero while training goes on (SSL forks). */
  connectivity_mode?: ConnectivityMode;
  /** Engine of the layer (Intel Caffe). */
  engine?: string;
  /** How the layer is spread over machines (Intel Caffe). */
  multinode?: MultinodeLayerParameter;
  /** How activations pass between machines (Intel Caffe). */
  mn_activation_param?: MnActivationParameter;
  /** Which gradients are compressed (Intel Caffe). */
  mn_grad_compress_param?: MnParamGradCompressParameter;
  /** Integer precision of the layer (Intel Caffe). */
  quantization_param?: QuantizationParameter;
  /** Parameters of Split (Intel Caffe). */
  split_param?: SplitParameter;
  /** Parameters of SpatialDropout (Intel Caffe). */
  spatial_dropout_param?: SpatialDropoutParameter;
  /** Number type of the layer's activations (NVCaffe). */
  forward_type?: Type;
  /** Number type of the layer's gradients (NVCaffe). */
  backward_type?: Type;
  /** Number type in which forward computes (NVCaffe). */
  forward_math?: Type;
  /** Number type in which backward computes (NVCaffe). */
  backward_math?: Type;
  /** Check the layer's results as it runs (NVCaffe). */
  debug?: boolean;
  /** cuDNN math mode of the layer; -1 leaves it alone (NVCaffe). */
  cudnn_math_override?: number;
  /** Parameters of TRT, a part run by TensorRT (NVCaffe). */
  trt_param?: TRTParameter;
  /** Parameters of DetectNetTransformation (NVCaffe). */
  detectnet_groundtruth_param?: DetectNetGroundTruthParameter;
  /** How DetectNetTransformation varies its images (NVCaffe). */
  detectnet_augmentation_param?: DetectNetAugmentationParameter;
  /** For SegAccuracy (DeepLab). */
  seg_accuracy_param?: SegAccuracyParameter;
  /** For SeLuDropout (self-normalising nets). */
  selu_dropout_param?: DropoutParameter;
  /** Where the layer begins in its prototxt: the line, counted from 1. */
  line?: number;
}

/** How a parameter blob is filled before training. */
export interface FillerParameter {
  /** One of constant, uniform, gaussian, positive_unitball, xavier, msra and bilinear. */
  type?: string;
  /** The value of constant. */
  value?: number;
  /** Lower bound of uniform. */
  min?: number;
  /** Upper bound of uniform. */
  max?: number;
  /** Mean of gaussian. */
  mean?: number;
  /** Standard deviation of gaussian. */
  std?: number;
  /** Gaussian only: the expected number of weights of each output that are not zero; -1 keeps all. */
  sparse?: number;
  /** What xavier and msra divide the variance by. */
  variance_norm?: 'FAN_IN' | 'FAN_OUT' | 'AVERAGE';
  /** Factor on the standard deviation of msra (Intel Caffe). */
  scale?: number;
}

/** What a data layer does to each image: crop and mirror, subtract the mean, then multiply by the scale. */
export interface TransformationParameter {
  /** Factor on every value, after the mean was subtracted. 0.00390625 is 1/256. */
  scale?: number;
  /** Flip half of the training images left to right, at random. */
  mirror?: boolean;
  /** Side of the square that is cut out: at random in training, from the centre in testing. 0 cuts nothing. */
  crop_size?: number;
  /** A binaryproto with the mean image. Not together with mean_value. */
  mean_file?: string;
  /** The mean of each channel, or one for all of them. */
  mean_value?: number[];
  /** Decode every image to three channels. */
  force_color?: boolean;
  /** Decode every image to one channel. */
  force_gray?: boolean;
  /** Height of the cut-out; 0 means crop_size (SSD). */
  crop_h?: number;
  /** Width of the cut-out; 0 means crop_size (SSD). */
  crop_w?: number;
  /** Resize the image first (SSD). */
  resize_param?: ResizeParameter;
  /** Disturb the image (SSD). */
  noise_param?: NoiseParameter;
  /** Change brightness, contrast, hue and saturation at random (SSD). */
  distort_param?: DistortionParameter;
  /** Put the image on a larger canvas at random (SSD). */
  expand_param?: ExpansionParameter;
  /** Which boxes a crop keeps (SSD). */
  emit_constraint?: EmitConstraint;
  /** Resize to a random size (Intel Caffe). */
  random_resize_param?: RandomResizeParameter;
  /** Cut out a part of random size and shape (Intel Caffe). */
  random_aspect_ratio_param?: RandomAspectRatioParameter;
  /** The channels are optical flow: mirror inverts the horizontal one. */
  flow?: boolean;
  /** Swap the first and the third channel (Intel Caffe). */
  bgr2rgb?: boolean;
  /** Pad the image by so many pixels on each side (Intel Caffe). */
  pad?: number;
  /** Least length of the shorter side after a random resize (NVCaffe). */
  img_rand_resize_lower?: number;
  /** Greatest length of the shorter side after a random resize (NVCaffe). */
  img_rand_resize_upper?: number;
  /** Least factor of a random resize (NVCaffe). */
  rand_resize_ratio_lower?: number;
  /** Greatest factor of a random resize (NVCaffe). */
  rand_resize_ratio_upper?: number;
  /** Least vertical stretch (NVCaffe). */
  vertical_stretch_lower?: number;
  /** Greatest vertical stretch (NVCaffe). */
  vertical_stretch_upper?: number;
  /** Least horizontal stretch (NVCaffe). */
  horizontal_stretch_lower?: number;
  /** Greatest horizontal stretch (NVCaffe). */
  horizontal_stretch_upper?: number;
  /** Interpolation when the image shrinks (NVCaffe). */
  interpolation_algo_down?: 'INTER_NEAREST' | 'INTER_LINEAR' | 'INTER_CUBIC' | 'INTER_AREA';
  /** Interpolation when the image grows (NVCaffe). */
  interpolation_algo_up?: 'INTER_NEAREST' | 'INTER_LINEAR' | 'INTER_CUBIC' | 'INTER_AREA';
  /** Let images grow (NVCaffe). */
  allow_upscale?: boolean;
  /** Order of the dimensions that come out (NVCaffe). */
  forward_packing?: Packing;
  /** Transform on the GPU (NVCaffe). */
  use_gpu_transform?: boolean;
  /** Seed of the random choices; negative takes the time (NVCaffe). */
  random_seed?: number;
  /** Show the images in a window (NVCaffe). */
  display?: boolean;
  /** Number of labels of one image (NVCaffe). */
  num_labels?: number;
  /** Factors of which each image is resized by one, drawn at random (PSPNet). */
  scale_factors?: number[];
}

/** Settings common to the loss layers. */
export interface LossParameter {
  /** Items with this label do not count. */
  ignore_label?: number;
  /** What the summed loss is divided by. */
  normalization?: 'FULL' | 'VALID' | 'BATCH_SIZE' | 'NONE' | 'PRE_FIXED';
  /** Deprecated: true is VALID, false is BATCH_SIZE. */
  normalize?: boolean;
  /** The divisor of PRE_FIXED (Intel Caffe). */
  pre_fixed_normalizer?: number;
  /** Share of the probability that is spread over the wrong labels. */
  label_smoothing?: number;
}

/** A convolution of K outputs over windows of the input. Weight: num_output × channels/group × kernel. */
export interface ConvolutionParameter {
  /** Number of filters, the channels of the top. */
  num_output?: number;
  /** Size of the window: one number for every axis, or one for each. */
  kernel_size?: number[];
  /** Step of the window; 1 by default. One number, or one for each axis. */
  stride?: number[];
  /** Zeros added on both sides; 0 by default. One number, or one for each axis. */
  pad?: number[];
  /** Distance between the window's taps; 1 by default. */
  dilation?: number[];
  /** Split channels and filters into so many parts that do not see each other. As many as channels is depthwise. */
  group?: number;
  /** Add a bias to each output channel. */
  bias_term?: boolean;
  /** How the weights start. */
  weight_filler?: FillerParameter;
  /** How the bias starts. */
  bias_filler?: FillerParameter;
  /** Height of the window; with kernel_w, instead of kernel_size. */
  kernel_h?: number;
  /** Width of the window; with kernel_h, instead of kernel_size. */
  kernel_w?: number;
  /** Vertical step; with stride_w, instead of stride. */
  stride_h?: number;
  /** Horizontal step; with stride_h, instead of stride. */
  stride_w?: number;
  /** Zeros above and below; with pad_w, instead of pad. */
  pad_h?: number;
  /** Zeros left and right; with pad_h, instead of pad. */
  pad_w?: number;
  /** The channel axis; the axes after it are convolved. */
  axis?: number;
  /** Use the general code also for two axes. */
  force_nd_im2col?: boolean;
  /** The code that computes the layer. */
  engine?: Engine;
  /** Apply a ReLU at once (Intel Caffe). */
  relu?: boolean;
  /** Slope of that ReLU below zero (Intel Caffe). */
  negative_slope?: number;
  /** Algorithm: direct, winograd or auto (Intel Caffe). */
  conv_algorithm?: string;
  /** Factors of a fused sum (Intel Caffe). */
  coeff?: number[];
  /** What is fused into the convolution (Intel Caffe). */
  fusion_type?: 'NONE_FUSION' | 'SUM_FUSION';
  /** How the cuDNN algorithm is found (NVCaffe). */
  cudnn_convolution_algo_seeker?: 'GET' | 'FINDEX';
  /** cuDNN algorithms for forward, backward to data and backward to weights; -1 leaves the choice to the search (NVCaffe). */
  conv_algos_override?: string;
  /** Old name of dilation (DeepLab). */
  hole?: number[];
  /** Old name of vertical dilation (DeepLab). */
  hole_h?: number;
  /** Old name of horizontal dilation (DeepLab). */
  hole_w?: number;
  /** Old name of dilation (a fork for dense prediction). */
  kstride?: number[];
  /** How a sparse convolution is computed (SkimCaffe and SSL forks). */
  conv_mode?:
    'LOWERED_GEMM' | 'LOWERED_CSRMM' | 'LOWERED_CCNMM' | 'DIRECT_SCONV' | 'DIRECT_DCONV' | 'LOWERED_SPARSE';
  /** Write the weights to a file, for SkimCaffe's tools. */
  dump_parameter?: boolean;
  /** Write the bottom to a file, for SkimCaffe's tools. */
  dump_activation?: boolean;
  /** Count which positions of the kernels are not zero (SkimCaffe). */
  parameter_sparsity_pattern_histogram?: boolean;
}

/** A fully connected layer. Weight: num_output × the product of the axes from `axis` on. */
export interface InnerProductParameter {
  /** Number of outputs. */
  num_output?: number;
  /** Add a bias to each output. */
  bias_term?: boolean;
  /** How the weights start. */
  weight_filler?: FillerParameter;
  /** How the bias starts. */
  bias_filler?: FillerParameter;
  /** First axis that is flattened into the vector; the axes before it stay. */
  axis?: number;
  /** The weight is stored with the inputs first. */
  transpose?: boolean;
  /** The code that computes the layer (Intel Caffe). */
  engine?: Engine;
  /** Apply a ReLU at once (Intel Caffe). */
  relu?: boolean;
  /** Slope of that ReLU below zero (Intel Caffe). */
  negative_slope?: number;
  /** How a sparse product is computed (SkimCaffe and SSL forks). */
  gemm_mode?: 'GEMM' | 'CSRMM' | 'SPGEMM' | 'SPMDM';
  /** A sparse product transposes its bottom first; only the first of a series of layers must (SkimCaffe). */
  spmdm_transpose_in?: boolean;
  /** A sparse product transposes its top back; only the last of a series of layers must (SkimCaffe). */
  spmdm_transpose_out?: boolean;
  /** Write the weights to a file, for SkimCaffe's tools. */
  dump_parameter?: boolean;
  /** Write the bottom to a file, for SkimCaffe's tools. */
  dump_activation?: boolean;
}

/** One value for each window. The output size rounds up unless round_mode says otherwise. */
export interface PoolingParameter {
  /** What becomes of the values in the window. */
  pool?: PoolMethod;
  /** Side of the window. */
  kernel_size?: number;
  /** Step of the window. */
  stride?: number;
  /** Padding on each side; less than the window. */
  pad?: number;
  /** Height of the window; with kernel_w. */
  kernel_h?: number;
  /** Width of the window; with kernel_h. */
  kernel_w?: number;
  /** Vertical step; with stride_w. */
  stride_h?: number;
  /** Horizontal step; with stride_h. */
  stride_w?: number;
  /** Padding above and below. */
  pad_h?: number;
  /** Padding left and right. */
  pad_w?: number;
  /** One window over the whole plane; no kernel is given. */
  global_pooling?: boolean;
  /** How the output size is rounded. */
  round_mode?: 'CEIL' | 'FLOOR';
  /** The code that computes the layer. */
  engine?: Engine;
  /** Padding of three axes (Intel Caffe). */
  pad_3d?: number[];
  /** Window of three axes (Intel Caffe). */
  kernel_size_3d?: number[];
  /** Step of three axes (Intel Caffe). */
  stride_3d?: number[];
  /** Count the padding in the divisor of AVE (Intel Caffe). */
  avg_include_pad?: boolean;
  /** The channel axis (Intel Caffe). */
  axis?: number;
  /** Round the output size as Torch does (NVCaffe). */
  torch_pooling?: boolean;
  /** Round the output size up (old forks). */
  ceil_mode?: boolean;
}

/** max(x, 0), and below zero the slope times x. */
export interface ReLUParameter {
  /** Slope below zero; 0 is the plain ReLU. */
  negative_slope?: number;
  /** The code that computes the layer. */
  engine?: Engine;
  /** Fuse into the layer before (Intel Caffe). */
  fuse?: boolean;
}

/** Subtract the mean of each channel, divide by its standard deviation. Three blobs: mean, variance, and the factor both are to be divided by. */
export interface BatchNormParameter {
  /** Use the stored statistics (default when testing) rather than the batch's (default when training). */
  use_global_stats?: boolean;
  /** How much of the running statistics survives each step. */
  moving_average_fraction?: number;
  /** Added to the variance before the root. */
  eps?: number;
  /** The code that computes the layer. */
  engine?: Engine;
  /** Scale and shift as well (Intel Caffe). */
  use_weight_bias?: boolean;
  /** Shift as well (Intel Caffe). */
  bias_term?: boolean;
  /** How the scale starts (Intel Caffe). */
  filler?: FillerParameter;
  /** How the shift starts. */
  bias_filler?: FillerParameter;
  /** Batch size of the statistics (Intel Caffe). */
  stats_batch_size?: number;
  /** Apply a ReLU at once (Intel Caffe). */
  relu?: boolean;
  /** How the scale starts (NVCaffe). */
  scale_filler?: FillerParameter;
  /** Scale and shift as well (NVCaffe). */
  scale_bias?: boolean;
}

/** Multiply by a learned blob, or by the second bottom. */
export interface ScaleParameter {
  /** First axis of the bottom that the factor covers. */
  axis?: number;
  /** Number of axes that a learned factor covers; -1 means all from `axis` on. */
  num_axes?: number;
  /** How the factor starts; 1 by default. */
  filler?: FillerParameter;
  /** Learn a shift as well. */
  bias_term?: boolean;
  /** How the shift starts. */
  bias_filler?: FillerParameter;
}

/** Add a learned blob, or the second bottom. */
export interface BiasParameter {
  /** First axis of the bottom that the bias covers. */
  axis?: number;
  /** Number of axes that a learned bias covers; -1 means all from `axis` on. */
  num_axes?: number;
  /** How the bias starts. */
  filler?: FillerParameter;
}

/** Divide each value by (k + alpha/n · Σ x²)^beta over its n neighbours. */
export interface LRNParameter {
  /** Number of neighbours n: odd. */
  local_size?: number;
  /** Factor on the mean of the squares. */
  alpha?: number;
  /** The exponent. */
  beta?: number;
  /** Added before the power. */
  k?: number;
  /** Neighbours in other channels or in the plane. */
  norm_region?: 'ACROSS_CHANNELS' | 'WITHIN_CHANNEL';
  /** The code that computes the layer. */
  engine?: Engine;
}

/** Zero each value with some probability in training; the others grow so that the mean stays. */
export interface DropoutParameter {
  /** Probability that a value is zeroed. */
  dropout_ratio?: number;
  /** The code that computes the layer (NVCaffe). */
  engine?: Engine;
  /** Seed of the mask; negative takes the time (NVCaffe). */
  random_seed?: number;
  /** Scale while training; false scales while testing instead (Fast R-CNN). */
  scale_train?: boolean;
}

/** Combine bottoms of one shape, value by value. */
export interface EltwiseParameter {
  /** Product, sum or maximum. */
  operation?: 'PROD' | 'SUM' | 'MAX';
  /** Factor of each bottom of a sum; 1 by default. */
  coeff?: number[];
  /** Compute the gradient of PROD without dividing by a bottom. */
  stable_prod_grad?: boolean;
  /** The code that computes the layer (Intel Caffe). */
  engine?: Engine;
}

/** Put bottoms one after the other along an axis. */
export interface ConcatParameter {
  /** The axis; -1 is the last. */
  axis?: number;
  /** Old name of axis. */
  concat_dim?: number;
  /** The code that computes the layer (Intel Caffe). */
  engine?: Engine;
  /** Fuse flattened parts (Intel Caffe). */
  per_fla_fuse?: boolean;
}

/** Cut the bottom along an axis, one piece for each top. */
export interface SliceParameter {
  /** The axis; -1 is the last. */
  axis?: number;
  /** Where to cut: one less than there are tops. Without it the pieces are equal. */
  slice_point?: number[];
  /** Old name of axis. */
  slice_dim?: number;
}

/** exp(x) / Σ exp(x) along an axis. */
export interface SoftmaxParameter {
  /** The axis; -1 is the last. */
  axis?: number;
  /** The code that computes the layer. */
  engine?: Engine;
}

/** 1 / (1 + exp(-x)). */
export interface SigmoidParameter {
  /** The code that computes the layer. */
  engine?: Engine;
}

/** The hyperbolic tangent. */
export interface TanHParameter {
  /** The code that computes the layer. */
  engine?: Engine;
}

/** ReLU whose slope below zero is learned. */
export interface PReLUParameter {
  /** How the slopes start; 0.25 by default. */
  filler?: FillerParameter;
  /** One slope for all channels. */
  channel_shared?: boolean;
}

/** x above zero, alpha · (exp(x) - 1) below. */
export interface ELUParameter {
  /** Height of the lower bound. */
  alpha?: number;
  /** Factor on the whole, as in SELU (NVCaffe). */
  lambda?: number;
}

/** x · sigmoid(beta · x). */
export interface SwishParameter {
  /** Steepness. */
  beta?: number;
}

/** Keep values within bounds. */
export interface ClipParameter {
  /** The lower bound. */
  min: number;
  /** The upper bound. */
  max: number;
}

/** (shift + scale · x) ^ power. */
export interface PowerParameter {
  /** The exponent. */
  power?: number;
  /** The factor. */
  scale?: number;
  /** The summand. */
  shift?: number;
}

/** base ^ (shift + scale · x). */
export interface ExpParameter {
  /** The base; -1 means e. */
  base?: number;
  /** The factor. */
  scale?: number;
  /** The summand. */
  shift?: number;
}

/** The logarithm of (shift + scale · x). */
export interface LogParameter {
  /** The base; -1 means e. */
  base?: number;
  /** The factor. */
  scale?: number;
  /** The summand. */
  shift?: number;
}

/** 1 above the threshold, else 0. */
export interface ThresholdParameter {
  /** The threshold. */
  threshold?: number;
}

/** Make each item zero mean and unit variance. */
export interface MVNParameter {
  /** Divide by the standard deviation as well. */
  normalize_variance?: boolean;
  /** One mean for all channels of an item, not one for each. */
  across_channels?: boolean;
  /** Added to the standard deviation. */
  eps?: number;
}

/** The same values in another shape. */
export interface ReshapeParameter {
  /** The new dimensions: 0 copies the bottom's, -1 is worked out from the rest. */
  shape?: BlobShape;
  /** First axis that is replaced. */
  axis?: number;
  /** Number of axes that are replaced; -1 means all from `axis` on. */
  num_axes?: number;
  /** Factor by which channels turn into height and width (Intel Caffe). */
  pixelshuffler?: number;
}

/** Melt a range of axes into one. */
export interface FlattenParameter {
  /** The first of them. */
  axis?: number;
  /** The last of them; -1 is the last of all. */
  end_axis?: number;
}

/** Cut the first bottom to the size of the second. */
export interface CropParameter {
  /** First axis that is cut. */
  axis?: number;
  /** Where the cut begins: one number for all axes, or one for each. */
  offset?: number[];
}

/** Repeat the bottom along an axis. */
export interface TileParameter {
  /** The axis. */
  axis?: number;
  /** Number of copies. */
  tiles?: number;
}

/** Reduce all axes from one on to a single value. */
export interface ReductionParameter {
  /** What is computed. */
  operation?: 'SUM' | 'ASUM' | 'SUMSQ' | 'MEAN';
  /** First axis that is reduced. */
  axis?: number;
  /** Factor on the result. */
  coeff?: number;
}

/** The positions of the largest values. */
export interface ArgMaxParameter {
  /** Give the values as well, or, with an axis, instead. */
  out_max_val?: boolean;
  /** How many of them. */
  top_k?: number;
  /** Search along this axis; without it, over all of an item. */
  axis?: number;
}

/** Look up rows of a table by integer. */
export interface EmbedParameter {
  /** Length of a row. */
  num_output?: number;
  /** Number of rows. */
  input_dim?: number;
  /** Add a bias. */
  bias_term?: boolean;
  /** How the table starts. */
  weight_filler?: FillerParameter;
  /** How the bias starts. */
  bias_filler?: FillerParameter;
}

/** A recurrent layer unrolled over time; bottoms are T × N × …. */
export interface RecurrentParameter {
  /** Size of the state. */
  num_output?: number;
  /** How the weights start. */
  weight_filler?: FillerParameter;
  /** How the biases start. */
  bias_filler?: FillerParameter;
  /** Log the unrolled net. */
  debug_info?: boolean;
  /** Take the first state as bottoms and give the last as tops. */
  expose_hidden?: boolean;
}

/** Spatial pyramid pooling: pool into 1×1, 2×2, 4×4 … bins. */
export interface SPPParameter {
  /** Number of levels. */
  pyramid_height?: number;
  /** What becomes of the values in a bin. */
  pool?: PoolMethod;
  /** The code that computes the layer. */
  engine?: Engine;
}

/** A top that is a learned blob. */
export interface ParameterParameter {
  /** Its shape. */
  shape?: BlobShape;
}

/** A layer written in Python. */
export interface PythonParameter {
  /** The module, on PYTHONPATH. */
  module?: string;
  /** The class in the module. */
  layer?: string;
  /** Text that the class finds as self.param_str. */
  param_str?: string;
  /** Share the layer between the solvers of several GPUs. */
  share_in_parallel?: boolean;
}

/** The share of items whose label is among the highest scores. */
export interface AccuracyParameter {
  /** How many scores count as right. */
  top_k?: number;
  /** Axis of the classes. */
  axis?: number;
  /** Items with this label do not count. */
  ignore_label?: number;
}

/** Pull pairs together or push them apart. */
export interface ContrastiveLossParameter {
  /** Distance beyond which different pairs cost nothing. */
  margin?: number;
  /** Use margin - d² rather than (margin - d)². */
  legacy_version?: boolean;
}

/** The one-against-all hinge loss. */
export interface HingeLossParameter {
  /** Sum of the violations or of their squares. */
  norm?: 'L1' | 'L2';
}

/** The logistic loss weighted by a matrix of labels. */
export interface InfogainLossParameter {
  /** A binaryproto with the matrix, unless it is the third bottom. */
  source?: string;
  /** Axis of the classes. */
  axis?: number;
}

/** Blobs that are fed from outside. */
export interface InputParameter {
  /** Shape of each top, or one for all. */
  shape?: BlobShape[];
}

/** Items from a LevelDB or LMDB. */
export interface DataParameter {
  /** Folder of the database. */
  source?: string;
  /** Kind of database. */
  backend?: 'LEVELDB' | 'LMDB';
  /** Number of items in a batch. */
  batch_size?: number;
  /** Number of batches that are read ahead. */
  prefetch?: number;
  /** Skip up to so many items at the start, at random. */
  rand_skip?: number;
  /** Decode images to three channels. */
  force_encoded_color?: boolean;
  /** Old place of transform_param.scale. */
  scale?: number;
  /** Old place of transform_param.mean_file. */
  mean_file?: string;
  /** Old place of transform_param.crop_size. */
  crop_size?: number;
  /** Old place of transform_param.mirror. */
  mirror?: boolean;
  /** Read in random order (Intel Caffe, NVCaffe). */
  shuffle?: boolean;
  /** Cells along each side of the label grid (YOLO). */
  side?: number[];
  /** Number of readers (NVCaffe). */
  threads?: number;
  /** Number of parsers (NVCaffe). */
  parser_threads?: number;
  /** Keep the data in memory (NVCaffe). */
  cache?: boolean;
  /** Read all of it before training (NVCaffe). */
  precache?: boolean;
}

/** Images named in a list. */
export interface ImageDataParameter {
  /** A text file; each line is a path and a label. */
  source?: string;
  /** Number of images in a batch. */
  batch_size?: number;
  /** Put before each path. */
  root_folder?: string;
  /** Shuffle the list for every pass. */
  shuffle?: boolean;
  /** Resize to this height; with new_width. */
  new_height?: number;
  /** Resize to this width; with new_height. */
  new_width?: number;
  /** Read three channels rather than one. */
  is_color?: boolean;
  /** Skip up to so many images at the start, at random. */
  rand_skip?: number;
  /** Old place of transform_param.scale. */
  scale?: number;
  /** Old place of transform_param.mean_file. */
  mean_file?: string;
  /** Old place of transform_param.crop_size. */
  crop_size?: number;
  /** Old place of transform_param.mirror. */
  mirror?: boolean;
  /** Old name of is_color, in forks of 2014. */
  images_in_color?: boolean;
  /** Least height (Intel Caffe). */
  min_height?: number;
  /** Least width (Intel Caffe). */
  min_width?: number;
  /** Resize so that the shorter side has this length (NVCaffe). */
  short_side?: number;
  /** Number of readers (NVCaffe). */
  threads?: number;
  /** Keep the images in memory (NVCaffe). */
  cache?: boolean;
  /** Read all of them before training (NVCaffe). */
  precache?: boolean;
  /** Share of the list that each machine reads (NVCaffe). */
  dataset_share_per_node?: number;
  /** What the label of an image is (DeepLab). */
  label_type?: 'NONE' | 'IMAGE' | 'PIXEL';
}

/** Data sets named as the tops, from HDF5 files. */
export interface HDF5DataParameter {
  /** A text file with the path of one HDF5 file in each line. */
  source?: string;
  /** Number of items in a batch. */
  batch_size?: number;
  /** Shuffle files and items. */
  shuffle?: boolean;
}

/** Writes its bottoms to an HDF5 file. */
export interface HDF5OutputParameter {
  /** Path of the file. */
  file_name?: string;
}

/** Items handed over by a program. */
export interface MemoryDataParameter {
  /** Number of items in a batch. */
  batch_size?: number;
  /** Channels of an item. */
  channels?: number;
  /** Height of an item. */
  height?: number;
  /** Width of an item. */
  width?: number;
}

/** Tops filled by fillers. */
export interface DummyDataParameter {
  /** How the tops are filled: none, one for all, or one for each. */
  data_filler?: FillerParameter[];
  /** Shape of the tops: one for all, or one for each. */
  shape?: BlobShape[];
  /** Old form of shape: the batch. */
  num?: number[];
  /** Old form of shape: the channels. */
  channels?: number[];
  /** Old form of shape: the height. */
  height?: number[];
  /** Old form of shape: the width. */
  width?: number[];
}

/** Windows of images, as R-CNN trains on. */
export interface WindowDataParameter {
  /** A text file that lists images and their windows. */
  source?: string;
  /** Number of windows in a batch. */
  batch_size?: number;
  /** Factor on every value, after the mean was subtracted. */
  scale?: number;
  /** A binaryproto with the mean image. */
  mean_file?: string;
  /** Side of the square that a window is resized to. */
  crop_size?: number;
  /** Flip half of the training windows, at random. */
  mirror?: boolean;
  /** Overlap from which a window is an object. */
  fg_threshold?: number;
  /** Overlap below which a window is background. */
  bg_threshold?: number;
  /** Share of objects in a batch. */
  fg_fraction?: number;
  /** Pixels of context around a window. */
  context_pad?: number;
  /** warp resizes the window; square takes the smallest square around it. */
  crop_mode?: string;
  /** Keep all images in memory. */
  cache_images?: boolean;
  /** Put before each path. */
  root_folder?: string;
}

/** How a net is trained. */
export interface SolverParameter {
  /** Prototxt of the net for training and testing. */
  net?: string;
  /** Prototxt of the net for training. */
  train_net?: string;
  /** Prototxt of a net for testing. */
  test_net?: string[];
  /** The net for both, written here. */
  net_param?: NetParameter;
  /** The net for training, written here. */
  train_net_param?: NetParameter;
  /** A net for testing, written here. */
  test_net_param?: NetParameter[];
  /** State of the training net; its phase is TRAIN by default. */
  train_state?: NetState;
  /** State of each test net; the phase is TEST by default. */
  test_state?: NetState[];
  /** Number of batches in a test of each test net. */
  test_iter?: number[];
  /** Iterations between tests; 0 never tests. */
  test_interval?: number;
  /** Test once before the first iteration. */
  test_initialization?: boolean;
  /** Compute the loss in tests. */
  test_compute_loss?: boolean;
  /** The learning rate that the policy starts from. */
  base_lr?: number;
  /** fixed, step, exp, inv, multistep, poly or sigmoid. */
  lr_policy?: string;
  /** Factor or rate of the policies step, multistep, exp, inv and sigmoid. */
  gamma?: number;
  /** Exponent of the policies inv and poly. */
  power?: number;
  /** Iterations between drops of step; the centre of sigmoid. */
  stepsize?: number;
  /** Iteration at which multistep drops; several, rising. */
  stepvalue?: number[];
  /** Number of iterations. */
  max_iter?: number;
  /** Batches whose gradients are added up before an update. */
  iter_size?: number;
  /** Share of the last update that is repeated; Adam's first moment. */
  momentum?: number;
  /** Adam's second moment. */
  momentum2?: number;
  /** Strength of the regularisation. */
  weight_decay?: number;
  /** L1 or L2. */
  regularization_type?: string;
  /** Shrink the gradient to this L2 norm when it is longer; negative never does. */
  clip_gradients?: number;
  /** SGD, Nesterov, AdaGrad, RMSProp, AdaDelta or Adam. */
  type?: string;
  /** Keeps AdaGrad, RMSProp, AdaDelta and Adam from dividing by zero. */
  delta?: number;
  /** Share of the running mean of squares that RMSProp keeps. */
  rms_decay?: number;
  /** Iterations between log lines; 0 logs nothing. */
  display?: number;
  /** Number of iterations that the logged loss is averaged over. */
  average_loss?: number;
  /** Iterations between snapshots; 0 takes none on the way. */
  snapshot?: number;
  /** Path of the snapshots, to which _iter_N.caffemodel is added. */
  snapshot_prefix?: string;
  /** Take a snapshot at the end. */
  snapshot_after_train?: boolean;
  /** File format of snapshots. */
  snapshot_format?: 'HDF5' | 'BINARYPROTO';
  /** Save gradients as well. */
  snapshot_diff?: boolean;
  /** Where to compute. */
  solver_mode?: 'CPU' | 'GPU';
  /** Number of the GPU. */
  device_id?: number;
  /** Seed of all random choices; negative takes the time. */
  random_seed?: number;
  /** Caffemodels to start from; several, or one string with commas. */
  weights?: string[];
  /** Log what helps to find why training fails. */
  debug_info?: boolean;
  /** Exchange gradients between GPUs while backward still runs. */
  layer_wise_reduce?: boolean;
  /** Deprecated: write `type`. */
  solver_type?: 'SGD' | 'NESTEROV' | 'ADAGRAD' | 'RMSPROP' | 'ADADELTA' | 'ADAM' | 'SAG';
  /** classification or detection (SSD). */
  eval_type?: string;
  /** How average precision is computed: 11point, MaxIntegral or Integral (SSD). */
  ap_version?: string;
  /** Log the precision of each class (SSD). */
  show_per_class_result?: boolean;
  /** Iterations without progress before the policy plateau drops (SSD). */
  plateau_winsize?: number[];
  /** Learning rate of each stage of multifixed (Intel Caffe). */
  stagelr?: number[];
  /** Last iteration of each stage of multifixed (Intel Caffe). */
  stageiter?: number[];
  /** Leave the weights alone (Intel Caffe). */
  disabled_update?: boolean;
  /** Engine of all layers (Intel Caffe). */
  engine?: string;
  /** Iterations over which the learning rate climbs (Intel Caffe). */
  warmup_iter?: number;
  /** Learning rate at the start of the climb (Intel Caffe). */
  warmup_start_lr?: number;
  /** Scale the learning rate of each layer by its norms, as LARS does (Intel Caffe). */
  local_lr_auto?: boolean;
  /** The trust ratio of LARS (Intel Caffe). */
  local_gw_ratio?: number;
  /** First iteration that may test (Intel Caffe). */
  test_offset?: number;
  /** Iterations over which the learning rate climbs (NVCaffe). */
  rampup_interval?: number;
  /** Learning rate at the start of the climb (NVCaffe). */
  rampup_lr?: number;
  /** The learning rate never falls below this (NVCaffe). */
  min_lr?: number;
  /** How momentum changes: fixed, poly or opt (NVCaffe). */
  momentum_policy?: string;
  /** Upper end of momentum (NVCaffe). */
  max_momentum?: number;
  /** Exponent of the momentum policy (NVCaffe). */
  momentum_power?: number;
  /** Scale the learning rate of each layer by its norms (NVCaffe). */
  larc?: boolean;
  /** scale or clip (NVCaffe). */
  larc_policy?: string;
  /** The trust ratio of LARC (NVCaffe). */
  larc_eta?: number;
  /** A faster LARC (NVCaffe). */
  larc_turbo?: boolean;
  /** How weight decay changes: fixed or poly (NVCaffe). */
  weight_decay_policy?: string;
  /** Exponent of that policy (NVCaffe). */
  weight_decay_power?: number;
  /** Upper end of weight decay (NVCaffe). */
  max_weight_decay?: number;
  /** Number type of the weights that are updated (NVCaffe). */
  solver_data_type?: Type;
  /** Save blobs as plain Caffe does (NVCaffe). */
  store_blobs_in_old_format?: boolean;
  /** Test and save in so many last epochs (NVCaffe). */
  test_and_snapshot_last_epochs?: number;
  /** Strength of the group lasso over rows (SSL forks). */
  breadth_decay?: number;
  /** Strength of the group lasso over columns (SSL forks). */
  kernel_shape_decay?: number;
  /** Strength of the group lasso over blocks (SSL forks). */
  block_group_decay?: number;
  /** Strength of the group lasso over parts of a layer (SSL forks). */
  local_group_decay?: number;
  /** Weights of smaller magnitude become zero (SSL forks). */
  prune_threshold?: number;
  /** Iterations of each stage of training (forks). */
  stage?: number[];
  /** Which zero weights stay zero (forks). */
  connectivity_mode?: string;
  /** Weights of smaller magnitude count as zero when sparsity is measured (SkimCaffe). */
  measure_threshold?: number;
  /** Up to how many times the threshold where the derivative is small (SkimCaffe). */
  max_threshold_factor?: number;
  /** Fit the threshold to Winograd's transform: 1 does, 0 does not (SkimCaffe). */
  winograd_adjust_threshold?: number;
  /** Weight of the sparsity of what Winograd's transform makes of the kernels (SkimCaffe). */
  winograd_sparsity_factor?: number;
}

/** Where a training stands, as a solverstate file holds it. */
export interface SolverState {
  /** Number of iterations done. */
  iter?: number;
  /** The caffemodel that belongs to it. */
  learned_net?: string;
  /** The solver's memory, such as momentum, in the order of the parameters. */
  history?: BlobProto[];
  /** Number of drops of the learning rate so far. */
  current_step?: number;
  /** Least loss so far, for the policy plateau (SSD). */
  minimum_loss?: number;
  /** Iteration of the last drop of plateau (SSD). */
  iter_last_event?: number;
}

/** The dimensions of a blob. */
export interface BlobShape {
  /** One dimension: batch, channels, height, width in the usual case. */
  dim?: number[];
}

/** A blob of numbers. */
export interface BlobProto {
  /** Its dimensions. */
  shape?: BlobShape;
  /** The values. */
  data?: number[];
  /** The gradients. */
  diff?: number[];
  /** The values, when they are doubles. */
  double_data?: number[];
  /** The gradients, when they are doubles. */
  double_diff?: number[];
  /** Old form of shape: the batch. */
  num?: number;
  /** Old form of shape: the channels. */
  channels?: number;
  /** Old form of shape: the height. */
  height?: number;
  /** Old form of shape: the width. */
  width?: number;
  /** Number type of raw_data (NVCaffe). */
  raw_data_type?: Type;
  /** Number type of raw_diff (NVCaffe). */
  raw_diff_type?: Type;
  /** The values as bytes (NVCaffe). */
  raw_data?: Uint8Array;
  /** The gradients as bytes (NVCaffe). */
  raw_diff?: Uint8Array;
}

/** Number types of NVCaffe. */
export type Type = 'DOUBLE' | 'FLOAT' | 'FLOAT16' | 'INT' | 'UINT' | 'BOOL';

/** Orders of dimensions of NVCaffe. */
export type Packing = 'NCHW' | 'NHWC';

/** Several blobs. */
export interface BlobProtoVector {
  /** One of them. */
  blobs?: BlobProto[];
}

/** One item of a database. */
export interface Datum {
  /** Number of channels. */
  channels?: number;
  /** Height. */
  height?: number;
  /** Width. */
  width?: number;
  /** The bytes of the image, channel by channel, or of an encoded image. */
  data?: Uint8Array;
  /** The label. */
  label?: number;
  /** The values, when they are floats. */
  float_data?: number[];
  /** The bytes are a JPEG or PNG. */
  encoded?: boolean;
  /** Number of the record (NVCaffe). */
  record_id?: number;
}

/** A layer in the syntax of 2014. Deprecated: write `layer`. */
export interface V1LayerParameter {
  /** Name of the layer. */
  name?: string;
  /** What the layer computes. */
  type?:
    | 'NONE'
    | 'ABSVAL'
    | 'ACCURACY'
    | 'ARGMAX'
    | 'BNLL'
    | 'CONCAT'
    | 'CONTRASTIVE_LOSS'
    | 'CONVOLUTION'
    | 'DATA'
    | 'DECONVOLUTION'
    | 'DROPOUT'
    | 'DUMMY_DATA'
    | 'EUCLIDEAN_LOSS'
    | 'ELTWISE'
    | 'EXP'
    | 'FLATTEN'
    | 'HDF5_DATA'
    | 'HDF5_OUTPUT'
    | 'HINGE_LOSS'
    | 'IM2COL'
    | 'IMAGE_DATA'
    | 'INFOGAIN_LOSS'
    | 'INNER_PRODUCT'
    | 'LRN'
    | 'MEMORY_DATA'
    | 'MULTINOMIAL_LOGISTIC_LOSS'
    | 'MVN'
    | 'POOLING'
    | 'POWER'
    | 'RELU'
    | 'SIGMOID'
    | 'SIGMOID_CROSS_ENTROPY_LOSS'
    | 'SILENCE'
    | 'SOFTMAX'
    | 'SOFTMAX_LOSS'
    | 'SPLIT'
    | 'SLICE'
    | 'TANH'
    | 'WINDOW_DATA'
    | 'THRESHOLD';
  /** A blob that goes in. */
  bottom?: string[];
  /** A blob that comes out. */
  top?: string[];
  /** A layer in the syntax of 2013. */
  layer?: V0LayerParameter;
  /** Use the layer only where one of these rules holds. */
  include?: NetStateRule[];
  /** Leave the layer out where one of these rules holds. */
  exclude?: NetStateRule[];
  /** The parameters themselves. */
  blobs?: BlobProto[];
  /** Name of a shared parameter; today `param { name }`. */
  param?: string[];
  /** How alike shared parameters must be; today `param { share_mode }`. */
  blob_share_mode?: DimCheckMode[];
  /** Factor on the learning rate of each blob; today `param { lr_mult }`. */
  blobs_lr?: number[];
  /** Factor on the weight decay of each blob; today `param { decay_mult }`. */
  weight_decay?: number[];
  /** How much each top counts in the objective. */
  loss_weight?: number[];
  /** Parameters of Accuracy. */
  accuracy_param?: AccuracyParameter;
  /** Parameters of ArgMax. */
  argmax_param?: ArgMaxParameter;
  /** Parameters of Concat. */
  concat_param?: ConcatParameter;
  /** Parameters of ContrastiveLoss. */
  contrastive_loss_param?: ContrastiveLossParameter;
  /** Parameters of Convolution and Deconvolution, also of their depthwise forks. */
  convolution_param?: ConvolutionParameter;
  /** Parameters of Data, which reads a database. */
  data_param?: DataParameter;
  /** Parameters of Dropout. */
  dropout_param?: DropoutParameter;
  /** Parameters of DummyData. */
  dummy_data_param?: DummyDataParameter;
  /** Parameters of Eltwise. */
  eltwise_param?: EltwiseParameter;
  /** Parameters of Exp. */
  exp_param?: ExpParameter;
  /** Parameters of HDF5Data. */
  hdf5_data_param?: HDF5DataParameter;
  /** Parameters of HDF5Output. */
  hdf5_output_param?: HDF5OutputParameter;
  /** Parameters of HingeLoss. */
  hinge_loss_param?: HingeLossParameter;
  /** Parameters of ImageData. */
  image_data_param?: ImageDataParameter;
  /** Parameters of InfogainLoss. */
  infogain_loss_param?: InfogainLossParameter;
  /** Parameters of InnerProduct. */
  inner_product_param?: InnerProductParameter;
  /** Parameters of LRN. */
  lrn_param?: LRNParameter;
  /** Parameters of MemoryData. */
  memory_data_param?: MemoryDataParameter;
  /** Parameters of MVN. */
  mvn_param?: MVNParameter;
  /** Parameters of Pooling. */
  pooling_param?: PoolingParameter;
  /** Parameters of Power. */
  power_param?: PowerParameter;
  /** Parameters of ReLU. */
  relu_param?: ReLUParameter;
  /** Parameters of Sigmoid. */
  sigmoid_param?: SigmoidParameter;
  /** Parameters of Softmax and SoftmaxWithLoss. */
  softmax_param?: SoftmaxParameter;
  /** Parameters of Slice. */
  slice_param?: SliceParameter;
  /** Parameters of TanH. */
  tanh_param?: TanHParameter;
  /** Parameters of Threshold. */
  threshold_param?: ThresholdParameter;
  /** Parameters of WindowData. */
  window_data_param?: WindowDataParameter;
  /** What is done to images on their way in. */
  transform_param?: TransformationParameter;
  /** Labels to ignore and the normalisation of a loss. */
  loss_param?: LossParameter;
  /** Where the layer begins in its prototxt: the line, counted from 1. */
  line?: number;
}

/** A layer in the syntax of 2013. Deprecated: write `layer`. */
export interface V0LayerParameter {
  /** Name of the layer. */
  name?: string;
  /** What the layer computes, such as conv. */
  type?: string;
  /** Number of outputs. */
  num_output?: number;
  /** Add a bias. */
  biasterm?: boolean;
  /** How the weights start. */
  weight_filler?: FillerParameter;
  /** How the bias starts. */
  bias_filler?: FillerParameter;
  /** Zeros on each side. */
  pad?: number;
  /** Side of the window. */
  kernelsize?: number;
  /** Number of groups of a convolution. */
  group?: number;
  /** Step of the window. */
  stride?: number;
  /** What becomes of the values in a window. */
  pool?: PoolMethod;
  /** Probability that a value is zeroed. */
  dropout_ratio?: number;
  /** Neighbours of local response normalisation. */
  local_size?: number;
  /** Factor of local response normalisation. */
  alpha?: number;
  /** Exponent of local response normalisation. */
  beta?: number;
  /** Summand of local response normalisation. */
  k?: number;
  /** Where data comes from. */
  source?: string;
  /** Factor on every value. */
  scale?: number;
  /** A binaryproto with the mean image. */
  meanfile?: string;
  /** Number of items in a batch. */
  batchsize?: number;
  /** Side of the square that is cut out. */
  cropsize?: number;
  /** Flip half of the training images. */
  mirror?: boolean;
  /** The parameters themselves. */
  blobs?: BlobProto[];
  /** Factor on the learning rate of each blob. */
  blobs_lr?: number[];
  /** Factor on the weight decay of each blob. */
  weight_decay?: number[];
  /** Skip up to so many items at the start. */
  rand_skip?: number;
  /** Overlap from which a window is an object. */
  det_fg_threshold?: number;
  /** Overlap below which a window is background. */
  det_bg_threshold?: number;
  /** Share of objects in a batch. */
  det_fg_fraction?: number;
  /** Pixels of context around a window. */
  det_context_pad?: number;
  /** warp or square. */
  det_crop_mode?: string;
  /** Batch of a reshape. */
  new_num?: number;
  /** Channels of a reshape. */
  new_channels?: number;
  /** Height to resize to. */
  new_height?: number;
  /** Width to resize to. */
  new_width?: number;
  /** Shuffle the list of images. */
  shuffle_images?: boolean;
  /** Axis of a concatenation. */
  concat_dim?: number;
  /** Parameters of hdf5_output. */
  hdf5_output_param?: HDF5OutputParameter;
}

/** Reorder the axes (SSD). */
export interface PermuteParameter {
  /** For each axis of the top, the axis of the bottom; the rest follow in order. */
  order?: number[];
}

/** Divide by the L2 norm and multiply by a learned scale (SSD). */
export interface NormalizeParameter {
  /** One norm for an item, not one for each place. */
  across_spatial?: boolean;
  /** One scale for all channels. */
  channel_shared?: boolean;
  /** How the scale starts. */
  scale_filler?: FillerParameter;
  /** Added to the sum of squares. */
  eps?: number;
}

/** Default boxes for each place of a feature map (SSD). */
export interface PriorBoxParameter {
  /** Side of the smaller box, in pixels. */
  min_size?: number[];
  /** With min_size it gives the side of the larger square. */
  max_size?: number[];
  /** More boxes of this width over height. */
  aspect_ratio?: number[];
  /** Also the inverse of each ratio. */
  flip?: boolean;
  /** Keep boxes inside the image. */
  clip?: boolean;
  /** Variance of the coordinates: one, or four. */
  variance?: number[];
  /** Side of the image; the second bottom's by default. */
  img_size?: number;
  /** Height of the image. */
  img_h?: number;
  /** Width of the image. */
  img_w?: number;
  /** Distance between places, in pixels. */
  step?: number;
  /** Vertical distance. */
  step_h?: number;
  /** Horizontal distance. */
  step_w?: number;
  /** Where in its cell a place is. */
  offset?: number;
}

/** How boxes that overlap a better one are dropped. */
export interface NonMaximumSuppressionParameter {
  /** Overlap from which a box is dropped. */
  nms_threshold?: number;
  /** Number of best boxes that take part. */
  top_k?: number;
  /** Factor by which the threshold shrinks. */
  eta?: number;
}

/** Boxes, labels and scores from predictions (SSD). */
export interface DetectionOutputParameter {
  /** Number of classes, background included. */
  num_classes?: number;
  /** One box for all classes. */
  share_location?: boolean;
  /** The background's label; -1 when there is none. */
  background_label_id?: number;
  /** How overlapping boxes are dropped. */
  nms_param?: NonMaximumSuppressionParameter;
  /** How boxes are encoded. */
  code_type?: 'CORNER' | 'CENTER_SIZE' | 'CORNER_SIZE';
  /** The variance is in the predictions already. */
  variance_encoded_in_target?: boolean;
  /** Number of boxes kept for an image; -1 keeps all. */
  keep_top_k?: number;
  /** Least score of a box. */
  confidence_threshold?: number;
  /** How results are saved. */
  save_output_param?: SaveOutputParameter;
  /** Show the boxes. */
  visualize?: boolean;
  /** Least score of a box that is shown. */
  visualize_threshold?: number;
  /** Video file to write. */
  save_file?: string;
}

/** How detections are saved (SSD). */
export interface SaveOutputParameter {
  /** Folder. */
  output_directory?: string;
  /** Beginning of the file names. */
  output_name_prefix?: string;
  /** VOC, COCO or ILSVRC. */
  output_format?: string;
  /** Names of the labels. */
  label_map_file?: string;
  /** Names and sizes of the test images. */
  name_size_file?: string;
  /** Number of test images. */
  num_test_image?: number;
  /** How the images were resized. */
  resize_param?: ResizeParameter;
}

/** Loss of boxes and classes together (SSD). */
export interface MultiBoxLossParameter {
  /** Loss of the boxes. */
  loc_loss_type?: 'L2' | 'SMOOTH_L1';
  /** Loss of the classes. */
  conf_loss_type?: 'SOFTMAX' | 'LOGISTIC';
  /** Weight of the boxes' loss. */
  loc_weight?: number;
  /** Number of classes, background included. */
  num_classes?: number;
  /** One box for all classes. */
  share_location?: boolean;
  /** How boxes are matched to the truth. */
  match_type?: 'BIPARTITE' | 'PER_PREDICTION';
  /** Overlap from which PER_PREDICTION matches. */
  overlap_threshold?: number;
  /** Match default boxes rather than predictions. */
  use_prior_for_matching?: boolean;
  /** The background's label. */
  background_label_id?: number;
  /** Use boxes marked as difficult. */
  use_difficult_gt?: boolean;
  /** Deprecated: mining_type. */
  do_neg_mining?: boolean;
  /** Number of negatives for each positive. */
  neg_pos_ratio?: number;
  /** Overlap below which an unmatched box is a negative. */
  neg_overlap?: number;
  /** How boxes are encoded. */
  code_type?: 'CORNER' | 'CENTER_SIZE' | 'CORNER_SIZE';
  /** The variance is in the target. */
  encode_variance_in_target?: boolean;
  /** Treat all objects as one class. */
  map_object_to_agnostic?: boolean;
  /** Ignore boxes that cross the edge. */
  ignore_cross_boundary_bbox?: boolean;
  /** Only boxes inside the image count. */
  bp_inside?: boolean;
  /** Which negatives count. */
  mining_type?: 'NONE' | 'MAX_NEGATIVE' | 'HARD_EXAMPLE';
  /** How boxes are dropped before mining. */
  nms_param?: NonMaximumSuppressionParameter;
  /** Number of hard examples. */
  sample_size?: number;
  /** Drop default boxes rather than predictions. */
  use_prior_for_nms?: boolean;
  /** Ignore what matches difficult boxes (NVCaffe). */
  ignore_difficult_gt?: boolean;
}

/** A database of images with boxes (SSD). */
export interface AnnotatedDataParameter {
  /** How a part of the image is sampled. */
  batch_sampler?: BatchSampler[];
  /** Names of the labels. */
  label_map_file?: string;
  /** Kind of annotation. */
  anno_type?: 'BBOX';
}

/** One way to sample parts of an image. */
export interface BatchSampler {
  /** Sample from the image as it is. */
  use_original_image?: boolean;
  /** Bounds of the sample. */
  sampler?: Sampler;
  /** What a sample must satisfy. */
  sample_constraint?: SampleConstraint;
  /** Number of samples wanted. */
  max_sample?: number;
  /** Number of trials. */
  max_trials?: number;
}

/** Bounds of a sampled part. */
export interface Sampler {
  /** Least size, relative to the image. */
  min_scale?: number;
  /** Greatest size. */
  max_scale?: number;
  /** Least width over height. */
  min_aspect_ratio?: number;
  /** Greatest width over height. */
  max_aspect_ratio?: number;
}

/** Bounds on the overlap of a sampled part with the truth. */
export interface SampleConstraint {
  /** Least overlap over union. */
  min_jaccard_overlap?: number;
  /** Greatest overlap over union. */
  max_jaccard_overlap?: number;
  /** Least part of the sample that is covered. */
  min_sample_coverage?: number;
  /** Greatest part of the sample that is covered. */
  max_sample_coverage?: number;
  /** Least part of the object that is covered. */
  min_object_coverage?: number;
  /** Greatest part of the object that is covered. */
  max_object_coverage?: number;
}

/** Which boxes a crop keeps. */
export interface EmitConstraint {
  /** By the centre or by the overlap. */
  emit_type?: 'CENTER' | 'MIN_OVERLAP';
  /** Least overlap. */
  emit_overlap?: number;
}

/** How an image is resized (SSD). */
export interface ResizeParameter {
  /** Probability that it is. */
  prob?: number;
  /** Stretch, or keep the shape. */
  resize_mode?: 'WARP' | 'FIT_SMALL_SIZE' | 'FIT_LARGE_SIZE_AND_PAD';
  /** New height. */
  height?: number;
  /** New width. */
  width?: number;
  /** Height of the finest scale. */
  height_scale?: number;
  /** Width of the finest scale. */
  width_scale?: number;
  /** How the rest is filled. */
  pad_mode?: 'CONSTANT' | 'MIRRORED' | 'REPEAT_NEAREST';
  /** Value of each channel that fills the rest. */
  pad_value?: number[];
  /** Interpolations, drawn at random. */
  interp_mode?: ('LINEAR' | 'AREA' | 'NEAREST' | 'CUBIC' | 'LANCZOS4')[];
}

/** Disturbances of an image, with one probability (SSD). */
export interface NoiseParameter {
  /** Probability that the image is disturbed. */
  prob?: number;
  /** Equalise the histogram. */
  hist_eq?: boolean;
  /** Invert the colours. */
  inverse?: boolean;
  /** Remove the colours. */
  decolorize?: boolean;
  /** Blur. */
  gauss_blur?: boolean;
  /** Quality of a JPEG compression; negative does none. */
  jpeg?: number;
  /** Reduce the colours. */
  posterize?: boolean;
  /** Erode. */
  erode?: boolean;
  /** Add salt and pepper. */
  saltpepper?: boolean;
  /** How much of it. */
  saltpepper_param?: SaltPepperParameter;
  /** Equalise the histogram locally. */
  clahe?: boolean;
  /** Convert to HSV. */
  convert_to_hsv?: boolean;
  /** Convert to Lab. */
  convert_to_lab?: boolean;
}

/** Salt and pepper noise. */
export interface SaltPepperParameter {
  /** Share of the pixels. */
  fraction?: number;
  /** Values of each channel. */
  value?: number[];
}

/** Random changes of colour (SSD). */
export interface DistortionParameter {
  /** Probability of a change of brightness. */
  brightness_prob?: number;
  /** Greatest change of brightness. */
  brightness_delta?: number;
  /** Probability of a change of contrast. */
  contrast_prob?: number;
  /** Least factor of contrast. */
  contrast_lower?: number;
  /** Greatest factor of contrast. */
  contrast_upper?: number;
  /** Probability of a change of hue. */
  hue_prob?: number;
  /** Greatest change of hue. */
  hue_delta?: number;
  /** Probability of a change of saturation. */
  saturation_prob?: number;
  /** Least factor of saturation. */
  saturation_lower?: number;
  /** Greatest factor of saturation. */
  saturation_upper?: number;
  /** Probability that the channels are shuffled. */
  random_order_prob?: number;
}

/** Put the image on a larger canvas (SSD). */
export interface ExpansionParameter {
  /** Probability that it is. */
  prob?: number;
  /** Greatest factor. */
  max_expand_ratio?: number;
}

/** Compare detections with the truth (SSD). */
export interface DetectionEvaluateParameter {
  /** Number of classes, background included. */
  num_classes?: number;
  /** The background's label. */
  background_label_id?: number;
  /** Overlap from which a detection is right. */
  overlap_threshold?: number;
  /** Count boxes marked as difficult. */
  evaluate_difficult_gt?: boolean;
  /** Names and sizes of the test images. */
  name_size_file?: string;
  /** How the images were resized. */
  resize_param?: ResizeParameter;
}

/** Frames of a video or camera (SSD). */
export interface VideoDataParameter {
  /** Camera or file. */
  video_type?: 'WEBCAM' | 'VIDEO';
  /** Number of the camera. */
  device_id?: number;
  /** Path of the video. */
  video_file?: string;
  /** Frames that are skipped between two. */
  skip_frames?: number;
}

/** Names of labels (SSD). */
export interface LabelMap {
  /** One label. */
  item?: LabelMapItem[];
}

/** A label and its names. */
export interface LabelMapItem {
  /** Name in the data set. */
  name?: string;
  /** The number. */
  label?: number;
  /** Name for people. */
  display_name?: string;
}

/** A box in shares of the image's size (SSD). */
export interface NormalizedBBox {
  /** Left edge. */
  xmin?: number;
  /** Top edge. */
  ymin?: number;
  /** Right edge. */
  xmax?: number;
  /** Bottom edge. */
  ymax?: number;
  /** The label. */
  label?: number;
  /** The box is marked as difficult. */
  difficult?: boolean;
  /** The score. */
  score?: number;
  /** The area. */
  size?: number;
}

/** One object of an image. */
export interface Annotation {
  /** Number of the object among those of its label. */
  instance_id?: number;
  /** Its box. */
  bbox?: NormalizedBBox;
}

/** The objects of one label. */
export interface AnnotationGroup {
  /** The label. */
  group_label?: number;
  /** An object. */
  annotation?: Annotation[];
}

/** An image with its objects. */
export interface AnnotatedDatum {
  /** The image. */
  datum?: Datum;
  /** Kind of annotation. */
  type?: 'BBOX';
  /** Objects of one label. */
  annotation_group?: AnnotationGroup[];
  /** Number of the record (NVCaffe). */
  record_id?: number;
}

/** Max pooling of regions into a grid (Fast R-CNN). */
export interface ROIPoolingParameter {
  /** Rows of the grid. */
  pooled_h?: number;
  /** Columns of the grid. */
  pooled_w?: number;
  /** Factor from the image to the feature map. */
  spatial_scale?: number;
  /** Rows and columns (Intel Caffe). */
  pooled_size?: number[];
}

/** Position-sensitive pooling of regions (R-FCN). */
export interface PSROIPoolingParameter {
  /** Factor from the image to the feature map. */
  spatial_scale: number;
  /** Channels of the top. */
  output_dim: number;
  /** Rows and columns of the grid. */
  group_size: number;
}

/** Loss that is square near zero and straight beyond (Fast R-CNN). */
export interface SmoothL1LossParameter {
  /** Where it turns: at 1/sigma². */
  sigma?: number;
}

/** Keep the hardest regions (R-FCN). */
export interface BoxAnnotatorOHEMParameter {
  /** Number of regions kept for an image. */
  roi_per_img: number;
  /** Label of the others. */
  ignore_label?: number;
}

/** Regions from anchors (Faster R-CNN). */
export interface ProposalParameter {
  /** Pixels of the image for a step of the feature map. */
  feat_stride?: number;
  /** Side of the base anchor. */
  base_size?: number;
  /** Least side of a region. */
  min_size?: number;
  /** Height over width of an anchor. */
  ratio?: number[];
  /** Size of an anchor, relative to the base. */
  scale?: number[];
  /** Number of best regions before overlapping ones are dropped. */
  pre_nms_topn?: number;
  /** Number of regions after that. */
  post_nms_topn?: number;
  /** Overlap from which a region is dropped. */
  nms_thresh?: number;
}

/** Move blocks of the plane into channels (YOLO). */
export interface ReorgParameter {
  /** Side of a block. */
  stride?: number;
  /** The other way round. */
  reverse?: boolean;
}

/** The loss of YOLO. */
export interface RegionLossParameter {
  /** Cells along each side. */
  side?: number;
  /** Number of classes. */
  num_class?: number;
  /** Match by the anchors' shapes alone. */
  bias_match?: number;
  /** Coordinates of a box. */
  coords?: number;
  /** Boxes of a cell. */
  num?: number;
  /** Classes are exclusive. */
  softmax?: number;
  /** Random shift of the image. */
  jitter?: number;
  /** Learn the overlap as the score. */
  rescore?: number;
  /** Weight of objects. */
  object_scale?: number;
  /** Weight of classes. */
  class_scale?: number;
  /** Weight of empty boxes. */
  noobject_scale?: number;
  /** Weight of coordinates. */
  coord_scale?: number;
  /** Coordinates are absolute. */
  absolute?: number;
  /** Overlap from which a box is not empty. */
  thresh?: number;
  /** Change the size of the image at random. */
  random?: number;
  /** Widths and heights of the anchors. */
  biases?: number[];
  /** File of the class hierarchy. */
  softmax_tree?: string;
  /** File that maps classes. */
  class_map?: string;
}

/** Evaluate YOLO's boxes. */
export interface EvalDetectionParameter {
  /** Cells along each side. */
  side?: number;
  /** Number of classes. */
  num_class?: number;
  /** Boxes of a cell. */
  num_object?: number;
  /** Overlap from which a box is right. */
  threshold?: number;
  /** Sizes are square roots. */
  sqrt?: boolean;
  /** Keep boxes within their cell. */
  constriant?: boolean;
  /** What the score is made of. */
  score_type?: 'OBJ' | 'PROB' | 'MULTIPLY';
  /** Overlap from which a box is dropped; negative drops none. */
  nms?: number;
  /** Widths and heights of the anchors. */
  biases?: number[];
}

/** ReLU that ends at 6 (MobileNet). */
export interface ReLU6Parameter {
  /** Slope below zero. */
  negative_slope?: number;
}

/** Bilinear resize of the plane (DeepLab, PSPNet). */
export interface InterpParameter {
  /** New height. */
  height?: number;
  /** New width. */
  width?: number;
  /** Factor of growth, less one edge. */
  zoom_factor?: number;
  /** Factor of shrinking, less one edge. */
  shrink_factor?: number;
  /** Padding at the start; negative crops. */
  pad_beg?: number;
  /** Padding at the end; negative crops. */
  pad_end?: number;
  /** The second bottom gives the size (PSPNet). */
  use_blob_size?: boolean;
}

/** The accuracy of labels of pixels. */
export interface SegAccuracyParameter {
  /** Pixels with this label do not count. */
  ignore_label?: number[];
}

/** Undo a pooling by its mask (SegNet), or repeat pixels (YOLO). */
export interface UpsampleParameter {
  /** Factor of both axes. */
  scale?: number;
  /** Vertical factor. */
  scale_h?: number;
  /** Horizontal factor. */
  scale_w?: number;
  /** One row more. */
  pad_out_h?: boolean;
  /** One column more. */
  pad_out_w?: boolean;
  /** Height of the top. */
  upsample_h?: number;
  /** Width of the top. */
  upsample_w?: number;
}

/** Interleave groups of channels (ShuffleNet). */
export interface ShuffleChannelParameter {
  /** Number of groups. */
  group?: number;
}

/** Batch normalisation with scale and shift in one layer (SegNet, PSPNet). */
export interface BNParameter {
  /** How the scale starts. */
  slope_filler?: FillerParameter;
  /** How the shift starts. */
  bias_filler?: FillerParameter;
  /** How the scale starts (SegNet). */
  scale_filler?: FillerParameter;
  /** How the shift starts (SegNet). */
  shift_filler?: FillerParameter;
  /** How much of the running statistics survives each step. */
  momentum?: number;
  /** Added to the variance. */
  eps?: number;
  /** Leave the statistics and parameters alone. */
  frozen?: boolean;
  /** The code that computes the layer. */
  engine?: Engine;
  /** Learn statistics or use the stored ones (SegNet). */
  bn_mode?: 'LEARN' | 'INFERENCE';
}

/** Images with a label for each pixel (SegNet). */
export interface DenseImageDataParameter {
  /** A text file; each line is an image and a label image. */
  source?: string;
  /** Number of images in a batch. */
  batch_size?: number;
  /** Skip up to so many images at the start, at random. */
  rand_skip?: number;
  /** Shuffle the list for every pass. */
  shuffle?: boolean;
  /** Resize to this height. */
  new_height?: number;
  /** Resize to this width. */
  new_width?: number;
  /** Read three channels rather than one. */
  is_color?: boolean;
  /** Put before each path. */
  root_folder?: string;
  /** Divide labels by this. */
  label_divide?: number;
}

/** Cross entropy that cares less for what is easy. */
export interface FocalLossParameter {
  /** Weight of the positive class. */
  alpha?: number;
  /** How much less. */
  gamma?: number;
  /** Axis of the classes. */
  axis?: number;
}

/** Squared distance to the learned centre of the class. */
export interface CenterLossParameter {
  /** Number of classes. */
  num_output?: number;
  /** How the centres start. */
  center_filler?: FillerParameter;
  /** First axis of the features. */
  axis?: number;
}

/** An item must be nearer to its like than to others. */
export interface TripletLossParameter {
  /** By how much. */
  margin?: number;
}

/** Connectionist temporal classification. */
export interface CTCLossParameter {
  /** Label of the blank; -1 is the last. */
  blank_index?: number;
  /** Time steps by which the output lags. */
  output_delay?: number;
  /** Merge repeated labels of the target. */
  preprocess_collapse_repeated?: boolean;
  /** Merge repeated labels of the output. */
  ctc_merge_repeated?: boolean;
  /** How the loss is averaged. */
  loss_calculation_t?: number;
}

/** Reduce groups of items (temporal segment networks). */
export interface BatchReductionParameter {
  /** Sizes of the groups. */
  level?: number[];
  /** The axis. */
  axis?: number;
  /** How a group is reduced. */
  reduction_param?: ReductionParameter;
  /** Give positions as well. */
  pos?: boolean;
}

/** Resize the plane. */
export interface ResizeLayerParameter {
  /** Take the size from the second bottom. */
  is_pyramid_test?: boolean;
  /** New height. */
  height?: number;
  /** New width. */
  width?: number;
  /** Horizontal factor. */
  fx?: number;
  /** Vertical factor. */
  fy?: number;
  /** Interpolation. */
  intepolation_type?: string;
}

/** Reverse the order along an axis. */
export interface ReverseParameter {
  /** The axis. */
  axis?: number;
}

/** Add a margin to the score of the label. */
export interface LabelSpecificMarginParameter {
  /** The margin. */
  bias?: number;
  /** Add it in tests as well. */
  transform_test?: boolean;
}

/** How the masks of a convolution change (Dynamic Network Surgery). */
export interface CConvolutionParameter {
  /** The chance of an update of the masks is (1 + gamma · iteration)^-power. */
  gamma?: number;
  /** See gamma. */
  power?: number;
  /** Iteration after which the masks stay. */
  iter_stop?: number;
  /** The threshold is mean + c_rate · standard deviation of the magnitudes. */
  c_rate?: number;
  /** How the weights' mask starts. */
  weight_mask_filler?: FillerParameter;
  /** How the bias's mask starts. */
  bias_mask_filler?: FillerParameter;
}

/** How the masks of a fully connected layer change (Dynamic Network Surgery). */
export interface CInnerProductParameter {
  /** The chance of an update of the masks is (1 + gamma · iteration)^-power. */
  gamma?: number;
  /** See gamma. */
  power?: number;
  /** Iteration after which the masks stay. */
  iter_stop?: number;
  /** The threshold is mean + c_rate · standard deviation of the magnitudes. */
  c_rate?: number;
  /** How the weights' mask starts. */
  weight_mask_filler?: FillerParameter;
  /** How the bias's mask starts. */
  bias_mask_filler?: FillerParameter;
}

/** How blobs share memory. */
export interface MemoryOptimizationParameter {
  /** Share in training. */
  optimize_train?: boolean;
  /** Share in tests. */
  optimize_test?: boolean;
  /** A blob that keeps its own memory. */
  exclude_blob?: string[];
}

/** What Intel Caffe did when it compiled a net. */
export interface CompileNetState {
  /** The net is as written. */
  is_init?: boolean;
  /** Scale layers after BatchNorm were removed. */
  bn_scale_remove?: boolean;
  /** BatchNorm was merged into convolutions. */
  bn_scale_merge?: boolean;
  /** A BatchNorm that stays. */
  kept_bn_layers?: string[];
  /** A convolution with negative input. */
  negative_conv_names?: string[];
  /** Position of such a convolution. */
  negative_conv_indexes?: number[];
}

/** How a net is spread over machines (Intel Caffe). */
export interface MultinodeParameter {
  /** A range of layers that is split. */
  model_parallel?: MnModelParallelParameter[];
  /** Layer types whose gradients are compressed. */
  compress_layer_type_list?: MnParamGradCompressLayerTypeList;
}

/** A range of layers that is split over machines. */
export interface MnModelParallelParameter {
  /** The first layer. */
  layer_from: string;
  /** The last layer. */
  layer_to?: string;
  /** Number of machines. */
  num_nodes?: number;
  /** Number of parts. */
  model_parts?: number;
}

/** Layer types whose gradients are compressed. */
export interface MnParamGradCompressLayerTypeList {
  /** One of them. */
  layer_type?: string[];
}

/** How a layer is spread over machines. */
export interface MultinodeLayerParameter {
  /** Number of machines. */
  num_nodes?: number;
  /** Number of parts. */
  model_parts?: number;
}

/** How activations pass between machines. */
export interface MnActivationParameter {
  /** Machines before the layer. */
  num_nodes_in?: number;
  /** Machines after the layer. */
  num_nodes_out?: number;
  /** Parts before the layer. */
  model_parts_in?: number;
  /** Parts after the layer. */
  model_parts_out?: number;
  /** Gradients are summed. */
  need_reduce?: boolean;
}

/** Which gradients are compressed. */
export interface MnParamGradCompressParameter {
  /** Whether each one is. */
  param_grad_compress_enable?: boolean[];
}

/** Integer precision of a layer (Intel Caffe). */
export interface QuantizationParameter {
  /** Number format. */
  precision?: 'DYNAMIC_FIXED_POINT';
  /** Rounding. */
  rounding_scheme?: 'NEAREST';
  /** Bits of the input. */
  bw_layer_in?: number;
  /** Bits of the output. */
  bw_layer_out?: number;
  /** Bits of the weights. */
  bw_params?: number;
  /** Fraction bits of the input. */
  fl_layer_in?: number[];
  /** Fraction bits of the output. */
  fl_layer_out?: number[];
  /** Fraction bits of the weights. */
  fl_params?: number[];
  /** Factor of the input. */
  scale_in?: number[];
  /** Factor of the output. */
  scale_out?: number[];
  /** Factors of the weights. */
  scale_params?: number[];
  /** The input has a sign. */
  is_negative_input?: boolean;
  /** Treat the input as unsigned. */
  force_u8_input?: boolean;
}

/** A copy of the bottom for each user; Caffe adds these layers itself. */
export interface SplitParameter {
  /** The code that computes the layer. */
  engine?: Engine;
}

/** Dropout of whole channels (Intel Caffe). */
export interface SpatialDropoutParameter {
  /** Probability that a channel is zeroed. */
  dropout_ratio?: number;
}

/** Resize to a random size (Intel Caffe). */
export interface RandomResizeParameter {
  /** Least length of the shorter side. */
  min_size?: number;
  /** Greatest length of the shorter side. */
  max_size?: number;
  /** How. */
  resize_param?: ResizeParameter;
}

/** Cut out a part of random size and shape (Intel Caffe). */
export interface RandomAspectRatioParameter {
  /** Least share of the area. */
  min_area_ratio?: number;
  /** Greatest share of the area. */
  max_area_ratio?: number;
  /** Greatest change of width over height. */
  aspect_ratio_change?: number;
  /** Number of trials. */
  max_attempt?: number;
  /** How the part is resized. */
  resize_param?: ResizeParameter;
}

/** Several solvers, one after the other (Intel Caffe). */
export interface MultiPhaseSolverParameter {
  /** One of them. */
  params_pair?: SolverBatchSizePair[];
}

/** A solver and its batch size. */
export interface SolverBatchSizePair {
  /** The solver. */
  solver_params?: SolverParameter;
  /** Number of items in a batch. */
  batch_size?: number;
}

/** A part of a net run by TensorRT (NVCaffe). */
export interface TRTParameter {
  /** Precision. */
  trt_mode?: 'FP32' | 'FP16' | 'INT8';
  /** How many scores count as right. */
  top_k?: number;
  /** Prototxt of the part. */
  deploy: string;
  /** Caffemodel of the part. */
  model: string;
  /** An output of the part. */
  deploy_outputs?: string[];
  /** Kind of calibration. */
  calibrator?: string;
}

/** The grid of truth that DetectNet learns (NVCaffe). */
export interface DetectNetGroundTruthParameter {
  /** Pixels of a cell. */
  stride?: number;
  /** Part of a box that counts as covered. */
  scale_cvg?: number;
  /** Whether boxes may grow to their bounds. */
  gridbox_type?: 'GRIDBOX_MAX' | 'GRIDBOX_MIN';
  /** Greatest side of the covered part. */
  max_cvg_len?: number;
  /** Least side of the covered part. */
  min_cvg_len?: number;
  /** Shape of the covered part. */
  coverage_type?: 'RECTANGULAR';
  /** Width of the image. */
  image_size_x?: number;
  /** Height of the image. */
  image_size_y?: number;
  /** Normalise by the number of cells of an object. */
  obj_norm?: boolean;
  /** Cut boxes at the edge. */
  crop_bboxes?: boolean;
  /** Which class becomes which. */
  object_class?: ClassMapping[];
}

/** A class and what it becomes. */
export interface ClassMapping {
  /** The class in the data. */
  src: number;
  /** What it becomes. */
  dst: number;
}

/** How DetectNet varies its images (NVCaffe). */
export interface DetectNetAugmentationParameter {
  /** Probability of a crop. */
  crop_prob?: number;
  /** Greatest horizontal shift. */
  shift_x?: number;
  /** Greatest vertical shift. */
  shift_y?: number;
  /** Probability of a change of size. */
  scale_prob?: number;
  /** Least factor. */
  scale_min?: number;
  /** Greatest factor. */
  scale_max?: number;
  /** Probability of a flip. */
  flip_prob?: number;
  /** Probability of a rotation. */
  rotation_prob?: number;
  /** Greatest angle, in degrees. */
  max_rotate_degree?: number;
  /** Probability of a change of hue. */
  hue_rotation_prob?: number;
  /** Greatest change of hue. */
  hue_rotation?: number;
  /** Probability of a loss of colour. */
  desaturation_prob?: number;
  /** Greatest loss of colour. */
  desaturation_max?: number;
  /** How the image is resized. */
  resize_param?: ResizeParameter;
  /** How the image is disturbed. */
  noise_param?: NoiseParameter;
  /** How the colours change. */
  distort_param?: DistortionParameter;
  /** How the canvas grows. */
  expand_param?: ExpansionParameter;
  /** Which boxes a crop keeps. */
  emit_constraint?: EmitConstraint;
}
