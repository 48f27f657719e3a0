/** Texts in Chinese and English, switchable at once: reading `language` in a component subscribes it. */
import { effect, signal } from '@preact/signals';
import type { Text } from '../contract';
import { en } from './en';
import { zh } from './zh';

export type Language = 'zh-CN' | 'en';
export type Key = keyof typeof zh;

const STORED = 'foreshock.language';

function initial(): Language {
  const stored = localStorage.getItem(STORED);
  if (stored === 'zh-CN' || stored === 'en') return stored;
  return document.documentElement.lang === 'en' ? 'en' : 'zh-CN'; // the server writes the site's language there
}

export const language = signal<Language>(initial());
effect(() => {
  document.documentElement.lang = language.value;
});

/** Switch the language and remember the choice on this device. */
export function setLanguage(next: Language): void {
  language.value = next;
  localStorage.setItem(STORED, next);
}

/** Speak a language until the person chooses on this device. */
export function adoptLanguage(next: Language): void {
  if (!languageChosen()) language.value = next;
}

/** True when the person has chosen a language on this device. */
function languageChosen(): boolean {
  return localStorage.getItem(STORED) !== null;
}

/** The text of `key` in the language in force, with `{name}` place-holders filled. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  const text: string = (language.value === 'en' ? en : zh)[key];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}

/** The text of `prefix.code` if the catalogue has it, else the code itself: for codes that the server may add. */
export function tCode(prefix: string, code: string): string {
  const key = `${prefix}.${code}`;
  return key in zh ? t(key as Key) : code;
}

/** A name that the site writes in both languages. */
export function tName(text: Partial<Text> | string | null | undefined): string {
  if (text == null) return '';
  if (typeof text === 'string') return text;
  return (language.value === 'en' ? text.en || text.zh : text.zh || text.en) || '';
}
