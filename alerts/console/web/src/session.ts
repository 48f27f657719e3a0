/** Signing in and out, and what follows from it. */
import { batch } from '@preact/signals';
import { api, ApiError, PROVIDER, setCsrf, whenSignedOut } from './api';
import { zone } from './clock';
import type { Me } from './contract';
import { adoptLanguage } from './i18n';
import { awaitSound, enableSound } from './live/sound';
import { start, stop, whenOther } from './live/stream';
import { go, route } from './router';
import { alarms, directory, dispatches, fieldOnly, incidents, loaded, me, setSite, status } from './store';

/** Where the person wanted to go when the sign-in page came between. */
let wanted = '';
/** Where it is kept while the browser is at the provider: this page is loaded anew afterwards. */
const KEPT = 'foreshock.wanted';
/** True when the session ended by itself, so that the sign-in page can say so. */
let expired = false;

whenSignedOut(() => forget(true));
whenOther((person) => enter(person, true));

/** Find out whether there is a session. Throws ApiError when the server cannot be reached. */
export async function resume(): Promise<void> {
  try {
    await enter(await api.me());
    awaitSound();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    me.value = null;
  }
}

export async function signIn(name: string, password: string, code: string): Promise<void> {
  const answer = await api.signIn(name, password, code);
  await enter(answer);
  expired = false;
  void enableSound().catch(() => undefined); // heard as its test; a browser without sound shows the bell struck out
}

/** Keep where somebody wanted to go while they sign in by the provider. */
export function keepWanted(): void {
  sessionStorage.setItem(KEPT, wanted);
}

/** Where somebody who has just signed in goes: where they wanted to, else home. */
export function landing(): string {
  const kept = sessionStorage.getItem(KEPT) ?? '';
  sessionStorage.removeItem(KEPT);
  const target = wanted || (kept.startsWith('#/') ? kept : '') || (fieldOnly.peek() ? '#/field' : '#/');
  wanted = '';
  return target;
}

/** Make the first administrator; the answer is a session already. */
export async function claimFirst(token: string, name: string, password: string): Promise<void> {
  await enter(await api.firstAdministrator(token, name, password));
  void enableSound().catch(() => undefined);
  go('#/', true); // the link is spent: it must not stay in the address
}

/** Show the page as this person may see it; `anew` where another, or one who might see something else, had it. */
async function enter(person: Me, anew = false): Promise<void> {
  setCsrf(person.csrf);
  zone.value = person.zone;
  if (person.language === 'en' || person.language === 'zh-CN') adoptLanguage(person.language);
  if (person.second_needed) { // nothing else is answered before it is set up
    me.value = person;
    return;
  }
  const site = await api.site();
  if (anew) letGo();
  setSite(site);
  me.value = person;
  start();
}

export async function signOut(): Promise<void> {
  const external = me.peek()?.external ?? false;
  try {
    await api.signOut();
  } catch {
    // the session ends here even if the server did not hear it; it expires there by itself
  }
  forget(false);
  if (external) location.assign(PROVIDER.end); // else whoever comes next would be let in as this person
}

/** The sign-in page comes between: remember where to go back to. */
export function remember(): void {
  const [first] = route.value.parts;
  if (first !== undefined && first !== 'login' && first !== 'first') wanted = location.hash;
}

export function sessionExpired(): boolean {
  return expired;
}

/** Forget all that was shown; when the server ended the session, remember where to go back to. */
function forget(byServer: boolean): void {
  if (byServer && me.peek()) {
    expired = true;
    remember();
  }
  stop();
  setCsrf('');
  batch(() => {
    me.value = null;
    directory.value = null;
    status.value = null;
    letGo();
  });
  go('#/login', true);
}

function letGo(): void {
  batch(() => {
    incidents.value = new Map();
    alarms.value = new Map();
    dispatches.value = new Map();
    loaded.value = false;
  });
}
