import { phrase } from '../../phrase';
import { layerKinds } from '../layerCatalogue';
import { v1LayerTypeByName } from '../layerTypes';
import { nearest } from '../nearest';
import { otherTypes } from '../vocabulary';
import { misplacedSettings } from './convert';
import { insertionAfter, removeFix, replaceWith, type Report, withGuess } from './diagnostic';
import { isInPlace, type BlobUse, type LayerText, type NetText, type Wiring } from './netText';
import type { Prototxt, Span, Fix } from './tree';

/** Where to point for a layer as a whole: its name, or else the word `layer`. */
export const placeOf = (layer: LayerText): Span => layer.nameSpan ?? layer.node.field!.nameSpan;

/** Checks how the layers of a net hang together, and what Caffe checks of each layer before it looks at shapes. */
export function checkNet(prototxt: Prototxt, net: NetText, wiring: Wiring, report: Report): void {
  checkWiring(prototxt, net, wiring, report);
  const current = net.layers.find(({ node }) => node.field!.name === 'layer');
  const old = net.layers.find(({ node }) => node.field!.name === 'layers');
  if (current && old)
    report(
      'deprecated',
      'error',
      old.node.field!.nameSpan,
      phrase`A net has either \`layer\` or \`layers\`, not both`,
      {
        related: { ...current.node.field!.nameSpan, message: phrase`The first \`layer\`` },
      },
    );
  for (const layer of net.layers) checkLayer(prototxt, net, layer, report);
}

/** So many slips get a guess at what was meant: each looks at all names. */
const mostGuesses = 50;

function checkWiring(
  prototxt: Prototxt,
  net: NetText,
  { missing, doubled, namesakes, phases: fed }: Wiring,
  report: Report,
): void {
  const order = new Map(net.layers.map((layer, index) => [layer, index]));
  /** Where each blob is first made, and last; an input of the net is made before all layers. */
  const first = new Map<string, number>(net.inputs.map(({ blob }) => [blob, -1]));
  const last = new Map<string, BlobUse>();
  for (const [index, { tops }] of net.layers.entries())
    for (const use of tops) {
      if (!first.has(use.blob)) first.set(use.blob, index);
      last.set(use.blob, use);
    }
  for (const [number, { use, phases }] of missing.entries()) {
    const [phase] = phases.length < fed.length ? phases : [];
    const here = order.get(use.layer!)!;
    const maker = last.get(use.blob);
    const below = maker?.layer === use.layer ? undefined : maker;
    const isAbove = (blob: string) => first.get(blob)! < here;
    const guess =
      below || number >= mostGuesses ? undefined : nearest(use.blob, [...first.keys()].filter(isAbove));
    const why =
      below && isAbove(use.blob)
        ? phase
          ? phrase`The layers that make "${use.blob}" do not take part in the phase ${phase}`
          : phrase`The layers that make "${use.blob}" do not take part`
        : below
          ? phrase`"${use.blob}" is made only below, by "${below.layer!.name}"; layers run in the order of the file`
          : withGuess(
              phase
                ? phrase`No layer above makes "${use.blob}" in the phase ${phase}`
                : phrase`No layer above makes "${use.blob}"`,
              guess,
            );
    report('unknown-bottom', 'error', use.span, why, {
      fixes: guess ? [replaceWith(use.span, guess)] : [],
      ...(below ? { related: { ...below.span, message: phrase`"${use.blob}" is made here` } } : {}),
    });
  }
  for (const { use, earlier } of doubled) {
    const related = { ...earlier.span, message: phrase`"${use.blob}" is made here` };
    if (feeds(use.layer) && feeds(earlier.layer))
      report(
        'duplicate-top',
        'error',
        use.span,
        phrase`"${use.blob}" is made already by "${earlier.layer.name}", which takes part in the same phase: what feeds only one phase says so with include`,
        { related, fixes: phaseFixes(prototxt, earlier.layer, use.layer) },
      );
    else
      report(
        'duplicate-top',
        'error',
        use.span,
        earlier.layer
          ? phrase`"${use.blob}" is made already by "${earlier.layer.name}", and this layer does not work in place: that takes a bottom of the same name at the same position`
          : phrase`"${use.blob}" is made already, and this layer does not work in place: that takes a bottom of the same name at the same position`,
        { related },
      );
  }
  for (const { layer, earlier } of namesakes) {
    const related = { ...placeOf(earlier), message: phrase`The other one` };
    if (learns(layer) || learns(earlier))
      report(
        'duplicate-layer',
        'warning',
        placeOf(layer),
        phrase`There is a layer "${layer.name}" already: weights are matched by name, so both would get the same`,
        { related },
      );
    else
      report('duplicate-layer', 'hint', placeOf(layer), phrase`There is a layer "${layer.name}" already`, {
        related,
      });
  }
}

/** A layer that brings data into the net. */
const feeds = (layer: LayerText | undefined): layer is LayerText => layer?.bottoms.length === 0;

/** Two layers that feed the same blob are mostly one for each phase. */
function phaseFixes(prototxt: Prototxt, first: LayerText, second: LayerText): Fix[] {
  if ([first, second].some(({ include, exclude }) => include.length + exclude.length > 0)) return [];
  const edits = [
    { layer: first, phase: 'TRAIN' },
    { layer: second, phase: 'TEST' },
  ].map(({ layer, phase }) => {
    const after = layer.node.fields.findLast(({ name }) => name === 'top');
    return insertionAfter(prototxt, after!, `include { phase: ${phase} }`);
  });
  return [{ title: phrase`Feed TRAIN with "${first.name}" and TEST with "${second.name}"`, edits }];
}

/** A layer that may have weights in a model file. */
function learns({ type }: LayerText): boolean {
  const kind = layerKinds.get(type);
  return (
    kind === undefined ||
    kind.weights ||
    /^(?:Scale|Bias|BatchNorm|BN|PReLU|Normalize|Parameter|Python)$/.test(type)
  );
}

function checkLayer(prototxt: Prototxt, net: NetText, layer: LayerText, report: Report): void {
  const { description, node } = layer;
  const field = (name: string) => node.fields.find((candidate) => candidate.name === name);
  if (layer.typeSpan === undefined) {
    if (!description.fields.some(({ name }) => name === 'type'))
      report('missing-field', 'error', placeOf(layer), phrase`The layer has no type`);
  } else checkKind(prototxt, net, layer, layer.typeSpan, report);
  if (!description.fields.some(({ name }) => name === 'name'))
    report(
      'missing-field',
      'warning',
      node.field!.nameSpan,
      phrase`The layer has no name: its weights could not be found again`,
    );
  if (layer.include.length > 0 && layer.exclude.length > 0)
    report(
      'rules',
      'error',
      field('exclude')!.nameSpan,
      phrase`A layer has either include or exclude rules, not both`,
    );
  const count = (name: string) =>
    node.fields.reduce((sum, one) => sum + (one.name === name ? one.values.length : 0), 0);
  const propagate = count('propagate_down');
  if (propagate > 0 && propagate !== layer.bottoms.length)
    report(
      'rules',
      'error',
      field('propagate_down')!.nameSpan,
      phrase`propagate_down must be set for each of the ${layer.bottoms.length} bottoms, or not at all; here are ${propagate}`,
    );
}

function checkKind(prototxt: Prototxt, net: NetText, layer: LayerText, typeSpan: Span, report: Report): void {
  const kind = layerKinds.get(layer.type);
  const modern = layer.node.field!.name === 'layer';
  if (!kind) {
    if (layer.type === '' || !modern) return;
    const guess =
      v1LayerTypeByName(layer.type) ?? otherTypes.get(layer.type) ?? nearest(layer.type, layerKinds.keys());
    report(
      'unknown-layer-type',
      guess ? 'warning' : 'hint',
      typeSpan,
      guess
        ? withGuess(phrase`Unknown layer type "${layer.type}"`, guess)
        : phrase`Unknown layer type "${layer.type}", neither in BVLC Caffe nor in the forks we know`,
      { fixes: guess ? [replaceWith(typeSpan, guess)] : [] },
    );
    return;
  }
  if ((kind.loss || kind.type === 'Accuracy') && layer.bottoms.length < kind.bottoms[0])
    report(
      'missing-bottom',
      'error',
      placeOf(layer),
      kind.bottoms[0] === kind.bottoms[1]
        ? phrase`${kind.type} takes ${kind.bottoms[0]} bottoms: what is predicted and what is true, not ${layer.bottoms.length}`
        : phrase`${kind.type} takes at least ${kind.bottoms[0]} bottoms: what is predicted and what is true, not ${layer.bottoms.length}`,
      { fixes: net.layers.length > 5000 ? [] : bottomFixes(prototxt, net, layer) },
    );
  if (windowed.has(kind.type))
    for (const use of layer.tops)
      if (isInPlace(use))
        report(
          'in-place',
          'warning',
          use.span,
          phrase`${kind.type} does not work in place: it would overwrite "${use.blob}" while it reads it`,
        );
  if (!modern) return;
  const misplaced = misplacedSettings(prototxt, layer);
  for (const field of misplaced?.fields ?? [])
    report(
      'useless-field',
      'warning',
      field.nameSpan,
      phrase`Caffe reads ${field.name} in transform_param; here it has no effect`,
      { fixes: [misplaced!.fix] },
    );
  for (const field of layer.node.fields)
    if (field.name.endsWith('_param') && !kind.params.includes(field.name) && layerParams.has(field.name))
      report('useless-field', 'hint', field, phrase`${kind.type} does not read ${field.name}`, {
        tag: 'unnecessary',
        fixes: [removeFix(prototxt, field)],
      });
}

/** Layers that read their bottom again after they have begun to write; Caffe does not check that their top is another. */
const windowed: ReadonlySet<string> = new Set(['Convolution', 'Deconvolution', 'InnerProduct', 'Pooling']);

/** The parameters that some known layer type reads. */
const layerParams = new Set([...layerKinds.values()].flatMap(({ params }) => params));

/** Adds a blob that looks like labels, or else one that nobody reads yet, as the missing bottom of a loss. */
function bottomFixes(prototxt: Prototxt, net: NetText, layer: LayerText): Fix[] {
  const taken = new Set(layer.bottoms.map(({ blob }) => blob));
  const above = net.layers.slice(0, net.layers.indexOf(layer));
  const read = new Set(above.flatMap(({ bottoms }) => bottoms.map(({ blob }) => blob)));
  const candidates = [
    ...new Set([...net.inputs, ...above.flatMap(({ tops }) => tops)].map(({ blob }) => blob)),
  ].filter((blob) => !taken.has(blob));
  const labels = candidates.filter((blob) => /label|target|truth|gt/i.test(blob));
  const chosen = labels.length > 0 ? labels : candidates.filter((blob) => !read.has(blob));
  const after = layer.node.fields.findLast(
    ({ name }) => name === 'bottom' || name === 'type' || name === 'name',
  );
  if (!after) return [];
  return chosen.slice(0, 4).map((blob, index) => ({
    title: phrase`Add bottom: "${blob}"`,
    edits: [insertionAfter(prototxt, after, `bottom: ${JSON.stringify(blob)}`)],
    ...(index === 0 ? { preferred: true } : {}),
  }));
}
