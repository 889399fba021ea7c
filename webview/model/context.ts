import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { type Store, useStore } from '../store';
import type { ModelAction, ModelState } from './state';

export type ModelStore = Store<ModelState, ModelAction>;

/** The page's one store. */
export const StoreContext = createContext<ModelStore>(undefined as unknown as ModelStore);

export const useDispatch = (): ModelStore['dispatch'] => useContext(StoreContext).dispatch;

/** What `select` gives of the page's state. */
export const useModel = <Selected>(select: (state: ModelState) => Selected): Selected =>
  useStore(useContext(StoreContext), select);
