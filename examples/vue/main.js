import { createApp, h } from 'vue';
import { Note } from './Note.js';

const app = createApp({ render: () => h('main', [h('h1', 'A note'), h(Note, { name: 'vue', reader: { id: 'ann', name: 'Ann' } })]) });
app.config.compilerOptions.isCustomElement = (tag) => tag === 'edit-lock';
app.mount('#app');
