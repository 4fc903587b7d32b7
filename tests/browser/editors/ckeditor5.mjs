import { Bold, ClassicEditor, Essentials, Paragraph } from 'ckeditor5';
const it = await ClassicEditor.create(document.querySelector('#text'), { licenseKey: 'GPL', plugins: [Essentials, Paragraph, Bold], toolbar: ['bold', 'undo'] });
window.editor = { load: () => it.setData('<p>as it was</p>'), text: () => it.getData().replace(/<[^>]*>/g, ''), html: () => it.getData() };
