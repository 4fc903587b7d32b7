// A note in Vue 3. With single-file components, the template is the same.
// Tell the compiler that edit-lock is no component of yours, as main.js does,
// or with compilerOptions.isCustomElement of the Vite plugin.

import { ref } from 'vue';
import 'editlock/element';

export const Note = {
  props: { name: String, reader: String },

  setup(props) {
    const lock = ref(null), text = ref('');
    const address = `/api/notes/${props.name}`;

    // Called when the text shown may be old: first get it, then show it.
    async function reload() {
      const newest = await (await fetch(address)).json();
      return () => { text.value = newest.text; };
    }

    // Also for "Save and hand over": true if all is saved.
    async function save() {
      const answer = await fetch(address, {
        method: 'PUT', headers: { 'Content-Type': 'application/json', ...lock.value.headers }, body: JSON.stringify({ text: text.value }),
      });
      if (answer.ok) lock.value.saved();
      else lock.value.refused(await answer.json());
      return answer.ok;
    }

    return { lock, text, reload, save };
  },

  template: `
    <edit-lock ref="lock" mode="note" :object="name" :user="reader" :name="reader" :reload.prop="reload" :save.prop="save">
      <form @submit.prevent="save">
        <label for="text">Text</label>
        <textarea id="text" name="text" v-model="text"></textarea>
        <button>Save</button>
      </form>
    </edit-lock>`,
};
