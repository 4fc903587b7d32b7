import Quill from 'quill';
const it = new Quill('#place', { theme: 'snow', modules: { toolbar: [['bold', { header: [1, 2, false] }]] } });
it.setText('as it was');
window.editor = { load: () => it.setText('as it was'), text: () => it.getText(), html: () => it.root.innerHTML };
