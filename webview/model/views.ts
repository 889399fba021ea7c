import type { JSX } from 'preact';
import { t } from '../l10n';
import { PruneView } from './PruneView';
import { EvaluateView } from './EvaluateView';
import { SweepView } from './SweepView';
import { RetrainView } from './RetrainView';
import { WeightsView } from './WeightsView';

/**
 * The page's views, in the order of their tabs. A view is a component that fills the page below the tabs; it reads the
 * one store (`useModel`), changes it by actions (`useDispatch`) and asks the extension through `host`. To add one: write
 * the component, add it here, put what it keeps while the tab is hidden into `KeptState` (state.ts), and its jobs into
 * `PageJobs` (src/protocol.ts) and src/editor/pageJobs.ts.
 */
export interface View {
  id: string;
  title: string;
  component: () => JSX.Element;
}

export const views = (): View[] => [
  { id: 'weights', title: t('Weights'), component: WeightsView },
  { id: 'prune', title: t('Prune'), component: PruneView },
  { id: 'evaluate', title: t('Evaluate'), component: EvaluateView },
  { id: 'sweep', title: t('Sweep'), component: SweepView },
  { id: 'retrain', title: t('Retrain'), component: RetrainView },
];
