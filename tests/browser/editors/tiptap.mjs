// Tiptap is ProseMirror.
import { Editor } from '@tiptap/core';
import StarterKit from '@tiptap/starter-kit';
const it = new Editor({ element: document.querySelector('#place'), extensions: [StarterKit], content: '<p>as it was</p>' });
window.editor = { load: () => it.commands.setContent('<p>as it was</p>'), text: () => it.getText(), html: () => it.getHTML() };
