// Compiled, never run: what a strict TypeScript program may write.
import { Editlock, EditlockError, type Lock, type Mutex, type Options } from 'editlock';
import { EditLockElement } from 'editlock/element';
import { presence, type RecordState } from 'editlock/presence';

const options: Options = { owner: { user_id: 'u1', name: 'Ann' }, grace: '4s' };
const locks = new Editlock({ ...options, server: '/locks', credentials: 'include', headers: () => ({ Authorization: 'Bearer x' }) });
const lock: Lock = locks.lock({ group: 'crm', mode: 'invoice', id: '17' }, { idle: '300s', inactiveAfter: 'never', unchanged: async () => true });
lock.addEventListener('change', () => {
  const holder: Mutex | null = lock.holder;
  if (lock.state === 'other' && holder) console.log(holder.owner.name?.toUpperCase(), locks.date(holder.captured_at).getTime());
  if (lock.loss?.how === 'taken_over') console.log(lock.loss.by?.name);
});
await lock.open();
const read: Lock = locks.lock({ id: '17' }, { sharing: 'shared' });
console.log(read.holders.map((h) => h.owner.name), read.holder?.beside?.toFixed(), locks.lock({ id: '18' }, { limit: 3 }).problem?.code);
await fetch('/save', { method: 'POST', headers: { ...lock.headers } });
const stop: () => void = locks.watch({ group: 'crm' }, (entry) => console.log(entry?.kind, entry?.seq.toFixed()));
stop();
try {
  await locks.releaseSession();
} catch (e) {
  if (e instanceof EditlockError) console.log(e.code, e.holder?.token);
}
const look = presence(locks).look({ group: 'crm', id: '17' }, ({ people, count }) => console.log(people[0]?.owner.name, count.toFixed()));
look.set('unsaved');
look.stop();
const rows: RecordState[] = await presence(locks).query([{ group: 'crm', id: '17' }]);
console.log(rows[0]?.holder?.name, rows[0]?.count.toFixed());
const element = document.querySelector('edit-lock') as EditLockElement;
element.reload = async () => () => {};
element.save = () => element.unsaved;
element.refused({ code: 'lost' });
element.refused({ code: 'changed', seen: '1', current: null });
element.version = '7';
element.saved(undefined, element.version ?? '8');
element.send('/notes/1', { method: 'PUT', body: () => JSON.stringify({ text: '' }) }).then((answer: Response) => answer.ok);

// @ts-expect-error there is no such state
lock.state === 'open';
// @ts-expect-error an id is required
locks.lock({ group: 'crm' });
