// A note in Vue 3. With single-file components, the template is the same.
// Tell the compiler that edit-lock is no component of yours, as main.js does,
// or with compilerOptions.isCustomElement of the Vite plugin.

import { ref } from 'vue';
import 'editlock/element';

export const Note = {
  props: { name: String, reader: String },

  setup(props) {
    const lock = ref(null), text = ref(''), past = ref(null);
    const address = `/api/notes/${props.name}`;

    // Called when the text shown may be old: first get it, then show it.
    async function reload() {
      const newest = await (await fetch(address)).json();
      return () => {
        text.value = newest.text;
        past.value = null;
        lock.value.version = newest.version; // a save of another one is refused: an import wrote past the lock
      };
    }

    // Also for "Save and hand over": true if all is saved.
    async function save() {
      const answer = await lock.value.send(address, {
        method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: () => JSON.stringify({ text: text.value }),
      });
      return answer.ok;
    }

    return { lock, text, past, reload, save };
  },

  template: `
    <edit-lock ref="lock" mode="note" :object="name" :user="reader" :name="reader" :reload.prop="reload" :save.prop="save" @edit-lock-changed="past = $event.detail">
      <form @submit.prevent="save">
        <label for="text">Text</label>
        <textarea id="text" name="text" v-model="text"></textarea>
        <button>Save</button>
        <p v-if="past">Version {{ past.current }} is stored; this was made of version {{ past.seen }}.</p>
      </form>
    </edit-lock>`,
};
