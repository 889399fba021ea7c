import { render } from 'preact';
import type { PageStart } from '../../src/protocol';
import { keepState, restoredState } from '../host';
import { setLanguage } from '../l10n';
import { createStore } from '../store';
import { App } from './App';
import { SessionContext, StoreContext } from './context';
import { Session } from './session';
import { initialState, reduceModel } from './state';
import '@vscode/codicons/dist/codicon.css';
import '../page.css';
import './model.css';
import './run.css';

const start = JSON.parse(document.body.dataset.start ?? '{}') as PageStart;
setLanguage(start.language, start.texts);

const store = createStore(reduceModel, initialState(start.trusted, restoredState()));
let kept = store.get().kept;
store.subscribe(() => {
  if (store.get().kept === kept) return;
  kept = store.get().kept;
  keepState(kept);
});

const session = new Session(store);
render(
  <StoreContext.Provider value={store}>
    <SessionContext.Provider value={session}>
      <App session={session} fileName={start.fileName} />
    </SessionContext.Provider>
  </StoreContext.Provider>,
  document.getElementById('root')!,
);
void session.open();
void session.watch();
