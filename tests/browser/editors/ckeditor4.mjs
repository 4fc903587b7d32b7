// CKEditor 4 edits in a frame, below toolbars made of links. It is loaded by the page.
const it = window.CKEDITOR.replace('text', { versionCheck: false });
await new Promise((done) => it.on('instanceReady', done));
it.setReadOnly(false); // it found its field read-only, and would stay so by itself
window.editor = { load: () => new Promise((callback) => it.setData('<p>as it was</p>', { callback })), text: () => it.editable().getText(), html: () => it.getData() };
