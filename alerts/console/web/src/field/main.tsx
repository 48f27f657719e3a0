import { render } from 'preact';
import { FieldApp } from './app';
import '../styles/index.css';

if ('serviceWorker' in navigator) {
  void navigator.serviceWorker.register('./sw.js').catch(() => undefined); // without it the page works while there is a link
}
const root = document.getElementById('app');
if (root) render(<FieldApp />, root);
