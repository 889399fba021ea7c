import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { type Store, useStore } from '../store';
import type { Session } from './session';
import type { ModelAction, ModelState } from './state';

export type ModelStore = Store<ModelState, ModelAction>;

/** The page's one store. */
export const StoreContext = createContext<ModelStore>(undefined as unknown as ModelStore);

/** What reads the model for the page. */
export const SessionContext = createContext<Session>(undefined as unknown as Session);

export const useDispatch = (): ModelStore['dispatch'] => useContext(StoreContext).dispatch;

/** What `select` gives of the page's state. */
export const useModel = <Selected>(select: (state: ModelState) => Selected): Selected =>
  useStore(useContext(StoreContext), select);
