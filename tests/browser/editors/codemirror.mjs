import { basicSetup, EditorView } from 'codemirror';
const it = new EditorView({ parent: document.querySelector('#place'), doc: 'as it was', extensions: [basicSetup] });
window.editor = { load: () => it.dispatch({ changes: { from: 0, to: it.state.doc.length, insert: 'as it was' } }), text: () => it.state.doc.toString(), html: () => it.state.doc.toString() };
