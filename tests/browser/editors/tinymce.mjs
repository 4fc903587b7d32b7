// TinyMCE edits in a frame. It is loaded by the page.
const [it] = await window.tinymce.init({ selector: '#text', license_key: 'gpl', promotion: false, plugins: 'lists link', menubar: true });
window.editor = { load: () => it.setContent('<p>as it was</p>'), text: () => it.getContent({ format: 'text' }), html: () => it.getContent() };
