import { render } from 'preact';
import type { GraphStart } from '../../src/protocol';
import { setLanguage } from '../l10n';
import { App } from './App';
import '@vscode/codicons/dist/codicon.css';
import '../page.css';
import './graph.css';

const start = JSON.parse(document.body.dataset.start ?? '{}') as GraphStart;
setLanguage(start.language, start.texts);
render(<App uri={start.uri} />, document.getElementById('root')!);
