import { createApp, h } from 'vue';
import { Note } from './Note.js';

// Who reads; yours comes from a login.
const reader = new URLSearchParams(location.search).get('reader') ?? 'Ann';

const app = createApp({ render: () => h('main', [h('h1', 'A note'), h(Note, { name: 'vue', reader })]) });
app.config.compilerOptions.isCustomElement = (tag) => tag === 'edit-lock';
app.mount('#app');
