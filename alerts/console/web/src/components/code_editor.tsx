/**
 * A text editor for YAML on CodeMirror. It stands in a shadow root: there its styles are adopted sheets, which the
 * content security policy allows, where a <style> element in the page would be refused.
 */
import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, type CompletionSource } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from '@codemirror/language';
import { type Diagnostic, forEachDiagnostic, lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { unifiedMergeView } from '@codemirror/merge';
import { EditorState, type Extension } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n';

export interface Flaw {
  line: number; // from 1; 0 is the text as a whole
  field: string;
  message: string;
  said?: string; // the same in the reader's language
}

interface Props {
  label: string;
  text: string; // as it begins; what is written since is the editor's own
  change: (text: string) => void;
  flaws: readonly Flaw[];
  complete: CompletionSource;
  goTo: { line: number; turn: number }; // moves the cursor whenever `turn` does
}

const LOOK = EditorView.theme({
  '&': { color: 'var(--text)', backgroundColor: 'var(--sunken)', border: '1px solid var(--border-strong)', borderRadius: 'var(--radius)', fontSize: '0.875rem' },
  '&.cm-focused': { outline: '2px solid var(--focus)', outlineOffset: '1px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55', maxHeight: '62vh', minHeight: '12rem', overflow: 'auto' },
  '.cm-content': { caretColor: 'var(--text)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-gutters': { color: 'var(--muted)', backgroundColor: 'var(--surface)', borderRight: '1px solid var(--border)' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--raised)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--border)' },
  '.cm-tooltip': { color: 'var(--text)', backgroundColor: 'var(--surface)', border: '1px solid var(--border-strong)', borderRadius: 'var(--radius)', maxWidth: 'min(34rem, 90vw)' },
  '.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', maxHeight: '16rem' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { color: 'var(--action-text)', backgroundColor: 'var(--action)' },
  '.cm-completionDetail': { fontFamily: 'var(--font)', fontStyle: 'normal', marginInlineStart: '1rem', opacity: '0.85' },
  '.cm-diagnostic': { padding: '6px 10px', borderInlineStart: '4px solid var(--bad)', whiteSpace: 'pre-wrap' },
  '.cm-diagnosticAction': { color: 'var(--action-text)', backgroundColor: 'var(--action)', borderRadius: '4px', padding: '2px 8px', marginInlineStart: '8px' },
  '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--bad)' },
  '.cm-panels': { color: 'var(--text)', backgroundColor: 'var(--surface)' },
  '.cm-panel.cm-panel-lint ul [aria-selected]': { backgroundColor: 'var(--raised)' },
  '.cm-matchingBracket': { backgroundColor: 'var(--border) !important' },
  '.cm-changedLine': { backgroundColor: 'var(--band) !important' },
  '.cm-changedText': { background: 'none !important', textDecoration: 'underline 2px var(--good)' },
  '.cm-deletedChunk': { color: 'var(--muted)', backgroundColor: 'var(--red-wash)' },
  '.cm-deletedChunk .cm-deletedText': { background: 'none', textDecoration: 'line-through 2px var(--bad)' },
  '.cm-collapsedLines': { color: 'var(--muted)', background: 'var(--surface)' },
  '.cm-collapsedLines:before, .cm-collapsedLines:after': { content: '"…"' }, // its own sign is in few fonts
});

const COLOURS = syntaxHighlighting(
  HighlightStyle.define([
    { tag: [tags.definition(tags.propertyName), tags.propertyName], color: 'var(--blue)' },
    { tag: [tags.string, tags.special(tags.string)], color: 'var(--good)' },
    { tag: tags.comment, color: 'var(--muted)', fontStyle: 'italic' },
    { tag: [tags.punctuation, tags.separator, tags.bracket, tags.squareBracket, tags.brace], color: 'var(--muted)' },
    { tag: [tags.labelName, tags.typeName, tags.keyword], color: 'var(--simulation)' },
  ]),
);

/** What CodeMirror itself says, in the page's language. */
function phrases(): Extension {
  return EditorState.phrases.of({
    'Control character': t('code.control'),
    Completions: t('code.completions'),
    Diagnostics: t('code.problems'),
    'No diagnostics': t('code.problems.none'),
    close: t('close.dialog'),
    '$ unchanged lines': t('code.unchanged'),
  });
}

/** A wrong word with the one that is likely meant, out of a message such as: unknown name 'valu' (did you mean 'value'?). */
const MEANT = /'([^']+)'(?:(?!did you mean)[^])*\(did you mean '([^']+)'\?\)/;

function diagnostics(state: EditorState, flaws: readonly Flaw[]): Diagnostic[] {
  return flaws
    .map((flaw): Diagnostic => {
      const line = state.doc.line(Math.min(Math.max(flaw.line, 1), state.doc.lines));
      const from = line.from + (line.text.length - line.text.trimStart().length);
      const meant = MEANT.exec(flaw.message);
      const [wrong, right] = [meant?.[1] ?? '', meant?.[2] ?? ''];
      const place = right ? line.text.search(new RegExp(`\\b${wrong.replace(/[^\w]/g, '\\$&')}\\b`)) : -1;
      const fix = {
        name: t('code.take', { word: right }),
        apply: (view: EditorView) => view.dispatch({ changes: { from: line.from + place, to: line.from + place + wrong.length, insert: right } }),
      };
      return { from, to: Math.max(line.to, from), severity: 'error', source: flaw.field, message: flaw.said || flaw.message, actions: place < 0 ? [] : [fix] };
    })
    .sort((a, b) => a.from - b.from);
}

export function CodeEditor({ label, text, change, flaws, complete, goTo }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const latest = useRef({ change, complete });
  latest.current = { change, complete };
  useEffect(() => {
    const root = host.current?.shadowRoot ?? host.current?.attachShadow({ mode: 'open' });
    if (!root) return undefined;
    const state = EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(), highlightActiveLineGutter(), history(), drawSelection(), indentOnInput(), bracketMatching(), closeBrackets(),
        autocompletion({ override: [(context) => latest.current.complete(context)], icons: false }),
        highlightActiveLine(), lintGutter(), yaml(), LOOK, COLOURS, phrases(), EditorView.lineWrapping,
        keymap.of([{ key: 'Tab', run: acceptCompletion }, ...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap]),
        EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false', autocapitalize: 'off' }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) latest.current.change(update.state.doc.toString());
        }),
      ],
    });
    view.current = new EditorView({ state, parent: root, root });
    return () => {
      view.current?.destroy();
      view.current = null;
    };
  }, [label]);
  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    let shown = 0;
    forEachDiagnostic(editor.state, () => (shown += 1));
    if (shown || flaws.length) editor.dispatch(setDiagnostics(editor.state, diagnostics(editor.state, flaws)));
  }, [flaws, label]);
  useEffect(() => {
    const editor = view.current;
    if (!editor || !goTo.turn) return;
    const line = editor.state.doc.line(Math.min(Math.max(goTo.line, 1), editor.state.doc.lines));
    editor.dispatch({ selection: { anchor: line.from + (line.text.length - line.text.trimStart().length) }, scrollIntoView: true });
    editor.focus();
  }, [goTo.turn]);
  return <div ref={host} class="code-editor" data-test="code" />;
}

/** What a text has that another had not, and the other way round: lines in one column, unchanged ones folded. */
export function CodeDifference({ label, before, after }: { label: string; before: string; after: string }) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const root = host.current?.shadowRoot ?? host.current?.attachShadow({ mode: 'open' });
    if (!root) return undefined;
    const state = EditorState.create({
      doc: after,
      extensions: [
        lineNumbers(), yaml(), LOOK, COLOURS, phrases(), EditorView.lineWrapping, EditorState.readOnly.of(true), EditorView.editable.of(false),
        EditorView.contentAttributes.of({ 'aria-label': label, role: 'textbox', 'aria-readonly': 'true', 'aria-multiline': 'true', tabindex: '0' }),
        unifiedMergeView({ original: before, mergeControls: false, gutter: true, syntaxHighlightDeletions: false, collapseUnchanged: { margin: 2, minSize: 5 } }),
      ],
    });
    const view = new EditorView({ state, parent: root, root });
    return () => view.destroy();
  }, [label, before, after]);
  return <div ref={host} class="code-editor" data-test="difference" />;
}
