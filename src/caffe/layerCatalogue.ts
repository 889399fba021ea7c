/** What is known of a layer type without running it. */
export interface LayerKind {
  type: string;
  /** What it computes, in a sentence. */
  doc: string;
  /** The fork that has it; absent for BVLC Caffe's own. */
  fork?: string;
  /** The fields of LayerParameter that it reads. */
  params: readonly string[];
  /** It has weights that can be pruned. */
  weights: boolean;
  /** Least and greatest number of bottoms. */
  bottoms: readonly [number, number];
  /** It is a loss: its first top counts in the objective by itself. */
  loss: boolean;
  /** The parameters that people really set, as a snippet: `${1:20}` is a place to fill in. */
  snippet?: string;
}

type Row = readonly [
  type: string,
  doc: string,
  more?: {
    fork?: string;
    params?: string;
    weights?: true;
    bottoms?: number | readonly [number, number];
    loss?: true;
    snippet?: string;
  },
];

const many = [1, Infinity] as const;
const filled = 'weight_filler { type: "${5|xavier,msra,gaussian|}" }\nbias_filler { type: "constant" }';
const convolution = `convolution_param {\nnum_output: \${1:64}\nkernel_size: \${2:3}\nstride: \${3:1}\npad: \${4:1}\n${filled}\n}`;
const source = 'source: "${1}"\nbatch_size: ${2:64}';

// prettier-ignore
const rows: readonly Row[] = [
  ['Convolution', 'Convolves the bottom with learned filters.', { params: 'convolution_param', weights: true, bottoms: many, snippet: convolution }],
  ['Deconvolution', 'Convolution the other way round: a learned upsampling.', { params: 'convolution_param', weights: true, bottoms: many, snippet: convolution }],
  ['InnerProduct', 'A fully connected layer.', { params: 'inner_product_param', weights: true, snippet: `inner_product_param {\nnum_output: \${1:500}\n${filled}\n}` }],
  ['Embed', 'Looks up rows of a learned table by integer.', { params: 'embed_param', weights: true, snippet: 'embed_param {\nnum_output: ${1}\ninput_dim: ${2}\n}' }],
  ['LSTM', 'A long short-term memory, unrolled over time.', { params: 'recurrent_param', weights: true, bottoms: [2, 5], snippet: 'recurrent_param {\nnum_output: ${1:256}\nweight_filler { type: "xavier" }\n}' }],
  ['RNN', 'A plain recurrent layer, unrolled over time.', { params: 'recurrent_param', weights: true, bottoms: [2, 4], snippet: 'recurrent_param {\nnum_output: ${1:256}\nweight_filler { type: "xavier" }\n}' }],
  ['Pooling', 'Reduces each window to its maximum or mean.', { params: 'pooling_param', snippet: 'pooling_param {\npool: ${1|MAX,AVE|}\nkernel_size: ${2:2}\nstride: ${3:2}\n}' }],
  ['SPP', 'Spatial pyramid pooling.', { params: 'spp_param', snippet: 'spp_param { pyramid_height: ${1:3} }' }],
  ['ReLU', 'max(x, 0).', { params: 'relu_param' }],
  ['PReLU', 'ReLU with a learned slope below zero.', { params: 'prelu_param' }],
  ['ELU', 'Exponential below zero.', { params: 'elu_param' }],
  ['Sigmoid', '1 / (1 + exp(-x)).', { params: 'sigmoid_param' }],
  ['TanH', 'The hyperbolic tangent.', { params: 'tanh_param' }],
  ['Swish', 'x · sigmoid(beta · x).', { params: 'swish_param' }],
  ['Clip', 'Keeps values within bounds.', { params: 'clip_param', snippet: 'clip_param {\nmin: ${1:0}\nmax: ${2:6}\n}' }],
  ['BNLL', 'log(1 + exp(x)).'],
  ['AbsVal', 'The magnitude.'],
  ['Exp', 'base ^ (shift + scale · x).', { params: 'exp_param' }],
  ['Log', 'The logarithm.', { params: 'log_param' }],
  ['Power', '(shift + scale · x) ^ power.', { params: 'power_param', snippet: 'power_param {\npower: ${1:1}\nscale: ${2:1}\nshift: ${3:0}\n}' }],
  ['Threshold', '1 above the threshold, else 0.', { params: 'threshold_param' }],
  ['Dropout', 'Zeroes values at random in training.', { params: 'dropout_param', snippet: 'dropout_param { dropout_ratio: ${1:0.5} }' }],
  ['BatchNorm', 'Normalises each channel by its mean and variance; a Scale layer usually follows.', { params: 'batch_norm_param' }],
  ['Scale', 'Multiplies by a learned blob or a second bottom.', { params: 'scale_param', bottoms: [1, 2], snippet: 'scale_param { bias_term: ${1:true} }' }],
  ['Bias', 'Adds a learned blob or a second bottom.', { params: 'bias_param', bottoms: [1, 2] }],
  ['LRN', 'Local response normalisation.', { params: 'lrn_param', snippet: 'lrn_param {\nlocal_size: ${1:5}\nalpha: ${2:0.0001}\nbeta: ${3:0.75}\n}' }],
  ['MVN', 'Zero mean and unit variance for each item.', { params: 'mvn_param' }],
  ['Concat', 'Bottoms one after the other along an axis.', { params: 'concat_param', bottoms: many, snippet: 'concat_param { axis: ${1:1} }' }],
  ['Slice', 'The bottom in pieces along an axis.', { params: 'slice_param', snippet: 'slice_param {\naxis: ${1:1}\nslice_point: ${2}\n}' }],
  ['Split', 'Copies of the bottom; Caffe adds these itself.'],
  ['Eltwise', 'Sum, product or maximum of bottoms of one shape.', { params: 'eltwise_param', bottoms: [2, Infinity], snippet: 'eltwise_param { operation: ${1|SUM,PROD,MAX|} }' }],
  ['Reshape', 'The same values in another shape.', { params: 'reshape_param', snippet: 'reshape_param { shape { dim: ${1:0} dim: ${2:-1} } }' }],
  ['Flatten', 'Each item as a vector.', { params: 'flatten_param' }],
  ['Crop', 'The first bottom cut to the size of the second.', { params: 'crop_param', bottoms: 2, snippet: 'crop_param {\naxis: ${1:2}\noffset: ${2:0}\n}' }],
  ['Tile', 'Repeats along an axis.', { params: 'tile_param', snippet: 'tile_param {\naxis: ${1:1}\ntiles: ${2:2}\n}' }],
  ['Reduction', 'Sum or mean over the last axes.', { params: 'reduction_param', snippet: 'reduction_param { operation: ${1|SUM,ASUM,SUMSQ,MEAN|} }' }],
  ['ArgMax', 'The positions of the largest values.', { params: 'argmax_param' }],
  ['BatchReindex', 'Items of the first bottom in the order of the second.', { bottoms: 2 }],
  ['Filter', 'The items that the last bottom selects.', { bottoms: [2, Infinity] }],
  ['Im2col', 'The windows of a convolution as columns.', { params: 'convolution_param', bottoms: many }],
  ['Softmax', 'exp(x) / Σ exp(x) along an axis.', { params: 'softmax_param' }],
  ['SoftmaxWithLoss', 'Cross entropy of the softmax of scores and labels.', { params: 'softmax_param loss_param', bottoms: [2, 3], loss: true }],
  ['SigmoidCrossEntropyLoss', 'Cross entropy of the sigmoid of scores and targets.', { params: 'loss_param', bottoms: 2, loss: true }],
  ['EuclideanLoss', 'Half the mean squared distance.', { params: 'loss_param', bottoms: 2, loss: true }],
  ['HingeLoss', 'The one-against-all hinge loss.', { params: 'hinge_loss_param loss_param', bottoms: 2, loss: true }],
  ['ContrastiveLoss', 'Pulls pairs together or pushes them apart.', { params: 'contrastive_loss_param loss_param', bottoms: 3, loss: true, snippet: 'contrastive_loss_param { margin: ${1:1} }' }],
  ['InfogainLoss', 'Cross entropy weighted by a matrix of labels.', { params: 'infogain_loss_param loss_param', bottoms: [2, 3], loss: true, snippet: 'infogain_loss_param { source: "${1}" }' }],
  ['MultinomialLogisticLoss', 'Cross entropy of probabilities and labels.', { params: 'loss_param', bottoms: 2, loss: true }],
  ['Accuracy', 'The share of items that are right.', { params: 'accuracy_param', bottoms: 2, snippet: 'include { phase: TEST }' }],
  ['Silence', 'Takes blobs that nobody uses.', { bottoms: many }],
  ['Input', 'Blobs that are fed from outside.', { params: 'input_param', bottoms: 0, snippet: 'input_param { shape { dim: ${1:1} dim: ${2:3} dim: ${3:224} dim: ${4:224} } }' }],
  ['Data', 'Items from a LevelDB or LMDB.', { params: 'data_param transform_param', bottoms: 0, snippet: `transform_param { scale: \${3:0.00390625} }\ndata_param {\n${source}\nbackend: LMDB\n}` }],
  ['ImageData', 'Images named in a list.', { params: 'image_data_param transform_param', bottoms: 0, snippet: `image_data_param {\n${source}\n}` }],
  ['HDF5Data', 'Data sets of HDF5 files.', { params: 'hdf5_data_param', bottoms: 0, snippet: `hdf5_data_param {\n${source}\n}` }],
  ['HDF5Output', 'Writes its bottoms to an HDF5 file.', { params: 'hdf5_output_param', bottoms: many, snippet: 'hdf5_output_param { file_name: "${1}" }' }],
  ['MemoryData', 'Items handed over by a program.', { params: 'memory_data_param transform_param', bottoms: 0, snippet: 'memory_data_param {\nbatch_size: ${1:1}\nchannels: ${2:3}\nheight: ${3:224}\nwidth: ${4:224}\n}' }],
  ['DummyData', 'Tops filled by fillers.', { params: 'dummy_data_param', bottoms: 0, snippet: 'dummy_data_param {\nshape { dim: ${1:1} }\ndata_filler { type: "constant" }\n}' }],
  ['WindowData', 'Windows of images, as R-CNN trains on.', { params: 'window_data_param transform_param', bottoms: 0, snippet: `window_data_param {\n${source}\n}` }],
  ['Parameter', 'A top that is a learned blob.', { params: 'parameter_param', bottoms: 0, snippet: 'parameter_param { shape { dim: ${1} } }' }],
  ['Python', 'A layer written in Python.', { params: 'python_param loss_param', bottoms: [0, Infinity], snippet: 'python_param {\nmodule: "${1}"\nlayer: "${2}"\n}' }],
  ['Permute', 'Reorders the axes.', { fork: 'SSD', params: 'permute_param', snippet: 'permute_param { order: 0 order: 2 order: 3 order: 1 }' }],
  ['Normalize', 'Divides by the L2 norm.', { fork: 'SSD', params: 'norm_param' }],
  ['PriorBox', 'Default boxes.', { fork: 'SSD', params: 'prior_box_param', bottoms: 2 }],
  ['DetectionOutput', 'Boxes, labels and scores.', { fork: 'SSD', params: 'detection_output_param', bottoms: [3, 5] }],
  ['MultiBoxLoss', 'Loss of boxes and classes.', { fork: 'SSD', params: 'multibox_loss_param loss_param', bottoms: [4, 6], loss: true }],
  ['DetectionEvaluate', 'Compares detections with the truth.', { fork: 'SSD', params: 'detection_evaluate_param', bottoms: 2 }],
  ['AnnotatedData', 'Images with boxes from a database.', { fork: 'SSD', params: 'annotated_data_param data_param transform_param', bottoms: 0 }],
  ['VideoData', 'Frames of a video.', { fork: 'SSD', params: 'video_data_param data_param transform_param', bottoms: 0 }],
  ['SmoothL1Loss', 'A loss that is square near zero.', { fork: 'Fast R-CNN', params: 'smooth_l1_loss_param loss_param', bottoms: [2, 4], loss: true }],
  ['ROIPooling', 'Max pooling of regions.', { fork: 'Fast R-CNN', params: 'roi_pooling_param', bottoms: 2, snippet: 'roi_pooling_param {\npooled_h: ${1:7}\npooled_w: ${2:7}\nspatial_scale: ${3:0.0625}\n}' }],
  ['PSROIPooling', 'Position-sensitive pooling of regions.', { fork: 'R-FCN', params: 'psroi_pooling_param', bottoms: 2 }],
  ['BoxAnnotatorOHEM', 'Keeps the hardest regions.', { fork: 'R-FCN', params: 'box_annotator_ohem_param', bottoms: [4, 6] }],
  ['SoftmaxWithLossOHEM', 'Cross entropy of scores and labels, and the loss of each region.', { fork: 'R-FCN', params: 'softmax_param loss_param', bottoms: [2, 3], loss: true }],
  ['SmoothL1LossOHEM', 'A loss that is square near zero, and the loss of each region.', { fork: 'R-FCN', params: 'smooth_l1_loss_param loss_param', bottoms: [2, 4], loss: true }],
  ['Proposal', 'Regions from anchors.', { fork: 'Faster R-CNN', params: 'proposal_param', bottoms: [2, 3] }],
  ['ConvolutionDepthwise', 'A convolution of each channel by itself.', { fork: 'depthwise forks', params: 'convolution_param', weights: true, snippet: convolution }],
  ['DepthwiseConvolution', 'A convolution of each channel by itself.', { fork: 'depthwise forks', params: 'convolution_param', weights: true, snippet: convolution }],
  ['ConvolutionReLU', 'A sparse convolution and its ReLU.', { fork: 'SkimCaffe', params: 'convolution_param relu_param', weights: true, bottoms: many, snippet: convolution }],
  ['ConvolutionReLUPool', 'A sparse convolution, its ReLU and pooling.', { fork: 'SkimCaffe', params: 'convolution_param relu_param pooling_param', weights: true, bottoms: many }],
  ['ConvolutionReLUPoolLRN', 'A sparse convolution, its ReLU, pooling and normalisation.', { fork: 'SkimCaffe', params: 'convolution_param relu_param pooling_param lrn_param', weights: true, bottoms: many }],
  ['ReLUPooling', 'A ReLU and its pooling.', { fork: 'SkimCaffe', params: 'relu_param pooling_param' }],
  ['InnerProductReLUDropout', 'A fully connected layer, its ReLU and dropout.', { fork: 'SkimCaffe', params: 'inner_product_param relu_param dropout_param', weights: true }],
  ['Winograd', 'A convolution whose weights are kept as Winograd’s transform makes them.', { fork: 'SkimCaffe', params: 'convolution_param', weights: true, bottoms: many, snippet: convolution }],
  ['CConvolution', 'A convolution with masks.', { fork: 'Dynamic Network Surgery', params: 'convolution_param cconvolution_param', weights: true, bottoms: many, snippet: convolution }],
  ['CInnerProduct', 'A fully connected layer with masks.', { fork: 'Dynamic Network Surgery', params: 'inner_product_param cinner_product_param', weights: true }],
  ['ReLU6', 'min(max(x, 0), 6).', { fork: 'MobileNet', params: 'relu6_param' }],
  ['Interp', 'Bilinear resize.', { fork: 'DeepLab', params: 'interp_param', bottoms: [1, 2] }],
  ['ImageSegData', 'Images with an image of labels each.', { fork: 'DeepLab', params: 'image_data_param transform_param', bottoms: 0 }],
  ['SegAccuracy', 'The share of pixels that are right.', { fork: 'DeepLab', params: 'seg_accuracy_param', bottoms: 2 }],
  ['Upsample', 'Undoes a pooling, or repeats pixels.', { fork: 'SegNet', params: 'upsample_param', bottoms: [1, 2] }],
  ['BN', 'Batch normalisation with scale and shift.', { fork: 'SegNet, PSPNet', params: 'bn_param' }],
  ['DenseImageData', 'Images with a label for each pixel.', { fork: 'SegNet', params: 'dense_image_data_param transform_param', bottoms: 0 }],
  ['ShuffleChannel', 'Interleaves groups of channels.', { fork: 'ShuffleNet', params: 'shuffle_channel_param', snippet: 'shuffle_channel_param { group: ${1:3} }' }],
  ['Axpy', 'Scales channels and adds.', { fork: 'SENet', bottoms: 3 }],
  ['Reorg', 'Blocks of the plane as channels.', { fork: 'YOLO', params: 'reorg_param' }],
  ['RegionLoss', 'The loss of YOLO.', { fork: 'YOLO', params: 'region_loss_param loss_param', bottoms: 2, loss: true }],
  ['EvalDetection', 'Evaluates boxes.', { fork: 'YOLO', params: 'eval_detection_param', bottoms: 2 }],
  ['FocalLoss', 'Cross entropy that cares less for what is easy.', { fork: 'focal loss', params: 'focal_loss_param softmax_param loss_param', bottoms: 2, loss: true }],
  ['CenterLoss', 'Distance to the centre of the class.', { fork: 'face recognition', params: 'center_loss_param', weights: true, bottoms: 2, loss: true }],
  ['TripletLoss', 'An item must be nearer to its like.', { fork: 'face recognition', params: 'triplet_loss_param', bottoms: [1, 4], loss: true }],
  ['LabelSpecificAdd', 'Adds a margin to the label’s score.', { fork: 'face recognition', params: 'label_specific_add_param', bottoms: 2 }],
  ['CTCLoss', 'Connectionist temporal classification.', { fork: 'CTC', params: 'ctc_loss_param', bottoms: [2, 4], loss: true }],
  ['BatchReduction', 'Reduces groups of items.', { fork: 'temporal segment networks', params: 'batch_reduction_param', bottoms: [1, 2] }],
  ['Resize', 'Resizes the plane.', { fork: 'forks', params: 'resize_param', bottoms: [1, 2] }],
  ['Reverse', 'Reverses an axis.', { fork: 'forks', params: 'reverse_param' }],
  ['SeLu', 'A scaled ELU, which keeps mean and variance.', { fork: 'self-normalising nets' }],
  ['SeLuDropout', 'Dropout that keeps the mean and variance of SeLu.', { fork: 'self-normalising nets', params: 'selu_dropout_param' }],
  ['MKLConvolution', 'A convolution by Intel’s library.', { fork: 'Intel Caffe', params: 'convolution_param', weights: true, bottoms: many, snippet: convolution }],
  ['MKLPooling', 'A pooling by Intel’s library.', { fork: 'Intel Caffe', params: 'pooling_param' }],
  ['MKLReLU', 'A ReLU by Intel’s library.', { fork: 'Intel Caffe', params: 'relu_param' }],
  ['MKLLRN', 'Local response normalisation by Intel’s library.', { fork: 'Intel Caffe', params: 'lrn_param' }],
  ['MKLBatchNorm', 'Batch normalisation by Intel’s library.', { fork: 'Intel Caffe', params: 'batch_norm_param' }],
  ['MnActivation', 'Passes activations between machines.', { fork: 'Intel Caffe', params: 'mn_activation_param', bottoms: many }],
  ['BoxData', 'Images with boxes from a database.', { fork: 'Intel Caffe', params: 'data_param transform_param', bottoms: 0 }],
  ['SpatialDropout', 'Dropout of whole channels.', { fork: 'Intel Caffe', params: 'spatial_dropout_param' }],
  ['L1Loss', 'The sum of distances.', { fork: 'NVCaffe', params: 'loss_param', bottoms: 2, loss: true }],
  ['TRT', 'A part run by TensorRT.', { fork: 'NVCaffe', params: 'trt_param', bottoms: many }],
  ['DetectNetTransformation', 'Images and truth for DetectNet.', { fork: 'NVCaffe', params: 'detectnet_groundtruth_param detectnet_augmentation_param transform_param', bottoms: 2 }],
];

/** Every known layer type by its name, the usual ones first. */
export const layerKinds: ReadonlyMap<string, LayerKind> = new Map(
  rows.map(([type, doc, more = {}]) => {
    const { params = '', bottoms = 1, fork, snippet } = more;
    const kind: LayerKind = {
      type,
      doc,
      params: params.split(' ').filter(Boolean),
      weights: more.weights === true,
      bottoms: typeof bottoms === 'number' ? [bottoms, bottoms] : bottoms,
      loss: more.loss === true,
      ...(fork === undefined ? {} : { fork }),
      ...(snippet === undefined ? {} : { snippet }),
    };
    return [type, kind];
  }),
);
