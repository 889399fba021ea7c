import { phrase, type Phrase } from '../phrase';
/** What is known of a layer type without running it. */
export interface LayerKind {
  type: string;
  /** What it computes, in a sentence. */
  doc: Phrase;
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
  doc: Phrase,
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
  ['Convolution', phrase`Convolves the bottom with learned filters.`, { params: 'convolution_param', weights: true, bottoms: many, snippet: convolution }],
  ['Deconvolution', phrase`Convolution the other way round: a learned upsampling.`, { params: 'convolution_param', weights: true, bottoms: many, snippet: convolution }],
  ['InnerProduct', phrase`A fully connected layer.`, { params: 'inner_product_param', weights: true, snippet: `inner_product_param {\nnum_output: \${1:500}\n${filled}\n}` }],
  ['Embed', phrase`Looks up rows of a learned table by integer.`, { params: 'embed_param', weights: true, snippet: 'embed_param {\nnum_output: ${1}\ninput_dim: ${2}\n}' }],
  ['LSTM', phrase`A long short-term memory, unrolled over time.`, { params: 'recurrent_param', weights: true, bottoms: [2, 5], snippet: 'recurrent_param {\nnum_output: ${1:256}\nweight_filler { type: "xavier" }\n}' }],
  ['RNN', phrase`A plain recurrent layer, unrolled over time.`, { params: 'recurrent_param', weights: true, bottoms: [2, 4], snippet: 'recurrent_param {\nnum_output: ${1:256}\nweight_filler { type: "xavier" }\n}' }],
  ['Pooling', phrase`Reduces each window to its maximum or mean.`, { params: 'pooling_param', snippet: 'pooling_param {\npool: ${1|MAX,AVE|}\nkernel_size: ${2:2}\nstride: ${3:2}\n}' }],
  ['SPP', phrase`Spatial pyramid pooling.`, { params: 'spp_param', snippet: 'spp_param { pyramid_height: ${1:3} }' }],
  ['ReLU', phrase`max(x, 0).`, { params: 'relu_param' }],
  ['PReLU', phrase`ReLU with a learned slope below zero.`, { params: 'prelu_param' }],
  ['ELU', phrase`Exponential below zero.`, { params: 'elu_param' }],
  ['Sigmoid', phrase`1 / (1 + exp(-x)).`, { params: 'sigmoid_param' }],
  ['TanH', phrase`The hyperbolic tangent.`, { params: 'tanh_param' }],
  ['Swish', phrase`x · sigmoid(beta · x).`, { params: 'swish_param' }],
  ['Clip', phrase`Keeps values within bounds.`, { params: 'clip_param', snippet: 'clip_param {\nmin: ${1:0}\nmax: ${2:6}\n}' }],
  ['BNLL', phrase`log(1 + exp(x)).`],
  ['AbsVal', phrase`The magnitude.`],
  ['Exp', phrase`base ^ (shift + scale · x).`, { params: 'exp_param' }],
  ['Log', phrase`The logarithm.`, { params: 'log_param' }],
  ['Power', phrase`(shift + scale · x) ^ power.`, { params: 'power_param', snippet: 'power_param {\npower: ${1:1}\nscale: ${2:1}\nshift: ${3:0}\n}' }],
  ['Threshold', phrase`1 above the threshold, else 0.`, { params: 'threshold_param' }],
  ['Dropout', phrase`Zeroes values at random in training.`, { params: 'dropout_param', snippet: 'dropout_param { dropout_ratio: ${1:0.5} }' }],
  ['BatchNorm', phrase`Normalises each channel by its mean and variance; a Scale layer usually follows.`, { params: 'batch_norm_param' }],
  ['Scale', phrase`Multiplies by a learned blob or a second bottom.`, { params: 'scale_param', bottoms: [1, 2], snippet: 'scale_param { bias_term: ${1:true} }' }],
  ['Bias', phrase`Adds a learned blob or a second bottom.`, { params: 'bias_param', bottoms: [1, 2] }],
  ['LRN', phrase`Local response normalisation.`, { params: 'lrn_param', snippet: 'lrn_param {\nlocal_size: ${1:5}\nalpha: ${2:0.0001}\nbeta: ${3:0.75}\n}' }],
  ['MVN', phrase`Zero mean and unit variance for each item.`, { params: 'mvn_param' }],
  ['Concat', phrase`Bottoms one after the other along an axis.`, { params: 'concat_param', bottoms: many, snippet: 'concat_param { axis: ${1:1} }' }],
  ['Slice', phrase`The bottom in pieces along an axis.`, { params: 'slice_param', snippet: 'slice_param {\naxis: ${1:1}\nslice_point: ${2}\n}' }],
  ['Split', phrase`Copies of the bottom; Caffe adds these itself.`],
  ['Eltwise', phrase`Sum, product or maximum of bottoms of one shape.`, { params: 'eltwise_param', bottoms: [2, Infinity], snippet: 'eltwise_param { operation: ${1|SUM,PROD,MAX|} }' }],
  ['Reshape', phrase`The same values in another shape.`, { params: 'reshape_param', snippet: 'reshape_param { shape { dim: ${1:0} dim: ${2:-1} } }' }],
  ['Flatten', phrase`Each item as a vector.`, { params: 'flatten_param' }],
  ['Crop', phrase`The first bottom cut to the size of the second.`, { params: 'crop_param', bottoms: 2, snippet: 'crop_param {\naxis: ${1:2}\noffset: ${2:0}\n}' }],
  ['Tile', phrase`Repeats along an axis.`, { params: 'tile_param', snippet: 'tile_param {\naxis: ${1:1}\ntiles: ${2:2}\n}' }],
  ['Reduction', phrase`Sum or mean over the last axes.`, { params: 'reduction_param', snippet: 'reduction_param { operation: ${1|SUM,ASUM,SUMSQ,MEAN|} }' }],
  ['ArgMax', phrase`The positions of the largest values.`, { params: 'argmax_param' }],
  ['BatchReindex', phrase`Items of the first bottom in the order of the second.`, { bottoms: 2 }],
  ['Filter', phrase`The items that the last bottom selects.`, { bottoms: [2, Infinity] }],
  ['Im2col', phrase`The windows of a convolution as columns.`, { params: 'convolution_param', bottoms: many }],
  ['Softmax', phrase`exp(x) / Σ exp(x) along an axis.`, { params: 'softmax_param' }],
  ['SoftmaxWithLoss', phrase`Cross entropy of the softmax of scores and labels.`, { params: 'softmax_param loss_param', bottoms: [2, 3], loss: true }],
  ['SigmoidCrossEntropyLoss', phrase`Cross entropy of the sigmoid of scores and targets.`, { params: 'loss_param', bottoms: 2, loss: true }],
  ['EuclideanLoss', phrase`Half the mean squared distance.`, { params: 'loss_param', bottoms: 2, loss: true }],
  ['HingeLoss', phrase`The one-against-all hinge loss.`, { params: 'hinge_loss_param loss_param', bottoms: 2, loss: true }],
  ['ContrastiveLoss', phrase`Pulls pairs together or pushes them apart.`, { params: 'contrastive_loss_param loss_param', bottoms: 3, loss: true, snippet: 'contrastive_loss_param { margin: ${1:1} }' }],
  ['InfogainLoss', phrase`Cross entropy weighted by a matrix of labels.`, { params: 'infogain_loss_param loss_param', bottoms: [2, 3], loss: true, snippet: 'infogain_loss_param { source: "${1}" }' }],
  ['MultinomialLogisticLoss', phrase`Cross entropy of probabilities and labels.`, { params: 'loss_param', bottoms: 2, loss: true }],
  ['Accuracy', phrase`The share of items that are right.`, { params: 'accuracy_param', bottoms: 2, snippet: 'include { phase: TEST }' }],
  ['Silence', phrase`Takes blobs that nobody uses.`, { bottoms: many }],
  ['Input', phrase`Blobs that are fed from outside.`, { params: 'input_param', bottoms: 0, snippet: 'input_param { shape { dim: ${1:1} dim: ${2:3} dim: ${3:224} dim: ${4:224} } }' }],
  ['Data', phrase`Items from a LevelDB or LMDB.`, { params: 'data_param transform_param', bottoms: 0, snippet: `transform_param { scale: \${3:0.00390625} }\ndata_param {\n${source}\nbackend: LMDB\n}` }],
  ['ImageData', phrase`Images named in a list.`, { params: 'image_data_param transform_param', bottoms: 0, snippet: `image_data_param {\n${source}\n}` }],
  ['HDF5Data', phrase`Data sets of HDF5 files.`, { params: 'hdf5_data_param', bottoms: 0, snippet: `hdf5_data_param {\n${source}\n}` }],
  ['HDF5Output', phrase`Writes its bottoms to an HDF5 file.`, { params: 'hdf5_output_param', bottoms: many, snippet: 'hdf5_output_param { file_name: "${1}" }' }],
  ['MemoryData', phrase`Items handed over by a program.`, { params: 'memory_data_param transform_param', bottoms: 0, snippet: 'memory_data_param {\nbatch_size: ${1:1}\nchannels: ${2:3}\nheight: ${3:224}\nwidth: ${4:224}\n}' }],
  ['DummyData', phrase`Tops filled by fillers.`, { params: 'dummy_data_param', bottoms: 0, snippet: 'dummy_data_param {\nshape { dim: ${1:1} }\ndata_filler { type: "constant" }\n}' }],
  ['WindowData', phrase`Windows of images, as R-CNN trains on.`, { params: 'window_data_param transform_param', bottoms: 0, snippet: `window_data_param {\n${source}\n}` }],
  ['Parameter', phrase`A top that is a learned blob.`, { params: 'parameter_param', bottoms: 0, snippet: 'parameter_param { shape { dim: ${1} } }' }],
  ['Python', phrase`A layer written in Python.`, { params: 'python_param loss_param', bottoms: [0, Infinity], snippet: 'python_param {\nmodule: "${1}"\nlayer: "${2}"\n}' }],
  ['Permute', phrase`Reorders the axes.`, { fork: 'SSD', params: 'permute_param', snippet: 'permute_param { order: 0 order: 2 order: 3 order: 1 }' }],
  ['Normalize', phrase`Divides by the L2 norm.`, { fork: 'SSD', params: 'norm_param' }],
  ['PriorBox', phrase`Default boxes.`, { fork: 'SSD', params: 'prior_box_param', bottoms: 2 }],
  ['DetectionOutput', phrase`Boxes, labels and scores.`, { fork: 'SSD', params: 'detection_output_param', bottoms: [3, 5] }],
  ['MultiBoxLoss', phrase`Loss of boxes and classes.`, { fork: 'SSD', params: 'multibox_loss_param loss_param', bottoms: [4, 6], loss: true }],
  ['DetectionEvaluate', phrase`Compares detections with the truth.`, { fork: 'SSD', params: 'detection_evaluate_param', bottoms: 2 }],
  ['AnnotatedData', phrase`Images with boxes from a database.`, { fork: 'SSD', params: 'annotated_data_param data_param transform_param', bottoms: 0 }],
  ['VideoData', phrase`Frames of a video.`, { fork: 'SSD', params: 'video_data_param data_param transform_param', bottoms: 0 }],
  ['SmoothL1Loss', phrase`A loss that is square near zero.`, { fork: 'Fast R-CNN', params: 'smooth_l1_loss_param loss_param', bottoms: [2, 4], loss: true }],
  ['ROIPooling', phrase`Max pooling of regions.`, { fork: 'Fast R-CNN', params: 'roi_pooling_param', bottoms: 2, snippet: 'roi_pooling_param {\npooled_h: ${1:7}\npooled_w: ${2:7}\nspatial_scale: ${3:0.0625}\n}' }],
  ['PSROIPooling', phrase`Position-sensitive pooling of regions.`, { fork: 'R-FCN', params: 'psroi_pooling_param', bottoms: 2 }],
  ['BoxAnnotatorOHEM', phrase`Keeps the hardest regions.`, { fork: 'R-FCN', params: 'box_annotator_ohem_param', bottoms: [4, 6] }],
  ['SoftmaxWithLossOHEM', phrase`Cross entropy of scores and labels, and the loss of each region.`, { fork: 'R-FCN', params: 'softmax_param loss_param', bottoms: [2, 3], loss: true }],
  ['SmoothL1LossOHEM', phrase`A loss that is square near zero, and the loss of each region.`, { fork: 'R-FCN', params: 'smooth_l1_loss_param loss_param', bottoms: [2, 4], loss: true }],
  ['Proposal', phrase`Regions from anchors.`, { fork: 'Faster R-CNN', params: 'proposal_param', bottoms: [2, 3] }],
  ['ConvolutionDepthwise', phrase`A convolution of each channel by itself.`, { fork: 'depthwise forks', params: 'convolution_param', weights: true, snippet: convolution }],
  ['DepthwiseConvolution', phrase`A convolution of each channel by itself.`, { fork: 'depthwise forks', params: 'convolution_param', weights: true, snippet: convolution }],
  ['ConvolutionReLU', phrase`A sparse convolution and its ReLU.`, { fork: 'SkimCaffe', params: 'convolution_param relu_param', weights: true, bottoms: many, snippet: convolution }],
  ['ConvolutionReLUPool', phrase`A sparse convolution, its ReLU and pooling.`, { fork: 'SkimCaffe', params: 'convolution_param relu_param pooling_param', weights: true, bottoms: many }],
  ['ConvolutionReLUPoolLRN', phrase`A sparse convolution, its ReLU, pooling and normalisation.`, { fork: 'SkimCaffe', params: 'convolution_param relu_param pooling_param lrn_param', weights: true, bottoms: many }],
  ['ReLUPooling', phrase`A ReLU and its pooling.`, { fork: 'SkimCaffe', params: 'relu_param pooling_param' }],
  ['InnerProductReLUDropout', phrase`A fully connected layer, its ReLU and dropout.`, { fork: 'SkimCaffe', params: 'inner_product_param relu_param dropout_param', weights: true }],
  ['Winograd', phrase`A convolution whose weights are kept as Winograd’s transform makes them.`, { fork: 'SkimCaffe', params: 'convolution_param', weights: true, bottoms: many, snippet: convolution }],
  ['CConvolution', phrase`A convolution with masks.`, { fork: 'Dynamic Network Surgery', params: 'convolution_param cconvolution_param', weights: true, bottoms: many, snippet: convolution }],
  ['CInnerProduct', phrase`A fully connected layer with masks.`, { fork: 'Dynamic Network Surgery', params: 'inner_product_param cinner_product_param', weights: true }],
  ['ReLU6', phrase`min(max(x, 0), 6).`, { fork: 'MobileNet', params: 'relu6_param' }],
  ['Interp', phrase`Bilinear resize.`, { fork: 'DeepLab', params: 'interp_param', bottoms: [1, 2] }],
  ['ImageSegData', phrase`Images with an image of labels each.`, { fork: 'DeepLab', params: 'image_data_param transform_param', bottoms: 0 }],
  ['SegAccuracy', phrase`The share of pixels that are right.`, { fork: 'DeepLab', params: 'seg_accuracy_param', bottoms: 2 }],
  ['Upsample', phrase`Undoes a pooling, or repeats pixels.`, { fork: 'SegNet', params: 'upsample_param', bottoms: [1, 2] }],
  ['BN', phrase`Batch normalisation with scale and shift.`, { fork: 'SegNet, PSPNet', params: 'bn_param' }],
  ['DenseImageData', phrase`Images with a label for each pixel.`, { fork: 'SegNet', params: 'dense_image_data_param transform_param', bottoms: 0 }],
  ['ShuffleChannel', phrase`Interleaves groups of channels.`, { fork: 'ShuffleNet', params: 'shuffle_channel_param', snippet: 'shuffle_channel_param { group: ${1:3} }' }],
  ['Axpy', phrase`Scales channels and adds.`, { fork: 'SENet', bottoms: 3 }],
  ['Reorg', phrase`Blocks of the plane as channels.`, { fork: 'YOLO', params: 'reorg_param' }],
  ['RegionLoss', phrase`The loss of YOLO.`, { fork: 'YOLO', params: 'region_loss_param loss_param', bottoms: 2, loss: true }],
  ['EvalDetection', phrase`Evaluates boxes.`, { fork: 'YOLO', params: 'eval_detection_param', bottoms: 2 }],
  ['FocalLoss', phrase`Cross entropy that cares less for what is easy.`, { fork: 'focal loss', params: 'focal_loss_param softmax_param loss_param', bottoms: 2, loss: true }],
  ['CenterLoss', phrase`Distance to the centre of the class.`, { fork: 'face recognition', params: 'center_loss_param', weights: true, bottoms: 2, loss: true }],
  ['TripletLoss', phrase`An item must be nearer to its like.`, { fork: 'face recognition', params: 'triplet_loss_param', bottoms: [1, 4], loss: true }],
  ['LabelSpecificAdd', phrase`Adds a margin to the label’s score.`, { fork: 'face recognition', params: 'label_specific_add_param', bottoms: 2 }],
  ['CTCLoss', phrase`Connectionist temporal classification.`, { fork: 'CTC', params: 'ctc_loss_param', bottoms: [2, 4], loss: true }],
  ['BatchReduction', phrase`Reduces groups of items.`, { fork: 'temporal segment networks', params: 'batch_reduction_param', bottoms: [1, 2] }],
  ['Resize', phrase`Resizes the plane.`, { fork: 'forks', params: 'resize_param', bottoms: [1, 2] }],
  ['Reverse', phrase`Reverses an axis.`, { fork: 'forks', params: 'reverse_param' }],
  ['SeLu', phrase`A scaled ELU, which keeps mean and variance.`, { fork: 'self-normalising nets' }],
  ['SeLuDropout', phrase`Dropout that keeps the mean and variance of SeLu.`, { fork: 'self-normalising nets', params: 'selu_dropout_param' }],
  ['MKLConvolution', phrase`A convolution by Intel’s library.`, { fork: 'Intel Caffe', params: 'convolution_param', weights: true, bottoms: many, snippet: convolution }],
  ['MKLPooling', phrase`A pooling by Intel’s library.`, { fork: 'Intel Caffe', params: 'pooling_param' }],
  ['MKLReLU', phrase`A ReLU by Intel’s library.`, { fork: 'Intel Caffe', params: 'relu_param' }],
  ['MKLLRN', phrase`Local response normalisation by Intel’s library.`, { fork: 'Intel Caffe', params: 'lrn_param' }],
  ['MKLBatchNorm', phrase`Batch normalisation by Intel’s library.`, { fork: 'Intel Caffe', params: 'batch_norm_param' }],
  ['MnActivation', phrase`Passes activations between machines.`, { fork: 'Intel Caffe', params: 'mn_activation_param', bottoms: many }],
  ['BoxData', phrase`Images with boxes from a database.`, { fork: 'Intel Caffe', params: 'data_param transform_param', bottoms: 0 }],
  ['SpatialDropout', phrase`Dropout of whole channels.`, { fork: 'Intel Caffe', params: 'spatial_dropout_param' }],
  ['L1Loss', phrase`The sum of distances.`, { fork: 'NVCaffe', params: 'loss_param', bottoms: 2, loss: true }],
  ['TRT', phrase`A part run by TensorRT.`, { fork: 'NVCaffe', params: 'trt_param', bottoms: many }],
  ['DetectNetTransformation', phrase`Images and truth for DetectNet.`, { fork: 'NVCaffe', params: 'detectnet_groundtruth_param detectnet_augmentation_param transform_param', bottoms: 2 }],
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
