// Every page has the list; a page with a document has the editor too.

import { showList } from './list.js';
import { Watch } from './watch.js';

const watch = new Watch();
showList(watch);
const main = document.getElementById('main');
if (main.dataset.document) {
  const { startEditor } = await import('./editor.js');
  startEditor(main, watch);
}
watch.start();
