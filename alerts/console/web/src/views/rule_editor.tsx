/** One rule's draft: written with completion, checked and tested by the server as it is typed, tried, put in force, taken back. */
import type { CompletionContext } from '@codemirror/autocomplete';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { api, ApiError } from '../api';
import { clockTime, moment } from '../clock';
import { Action } from '../components/action';
import { CodeDifference, CodeEditor, type Flaw } from '../components/code_editor';
import { Dialog } from '../components/dialog';
import { Footer, Words } from '../components/form';
import { Failed, useLoad, Waiting } from '../components/load';
import { actorName } from '../components/marks';
import { tell } from '../components/notices';
import { completion } from '../components/rule_completion';
import { RuleHistory } from '../components/rule_history';
import type { DraftChecked, OtherDraft, RuleOpened } from '../contract';
import { t, tCode, tName } from '../i18n';
import { go, href } from '../router';
import { mayPromote } from '../store';

const CHECK_AFTER = 450; // milliseconds without a stroke
const SAVE_AFTER = 1200;

/** What a new rule begins with: all that none loads without. */
function skeleton(id: string): string {
  return `rules:
- id: ${id}
  title: {zh: '', en: ''}
  where: {types: [], quantity: ''}
  levels:
    yellow: {when: beyond('yellow')}
  rationale:
    cause: ''
    consequence: ''
    response: ''
    time_to_respond: 30 min
    owner: ''
    review: ""
  tests:
    - {name: '', step: 1 min, point: {values: "0*3"}, expect: none*3}
`;
}

export function RuleEditor({ id }: { id: string }) {
  const opened = useLoad(() => api.openRule(id), `rule ${id}`);
  if (!mayPromote.value) return <p class="failed">{t('error.forbidden')}</p>;
  if (!opened.data) return opened.error ? <Failed error={opened.error} again={opened.again} /> : <Waiting />;
  return <Desk key={`${id} ${opened.data.base} ${opened.data.draft?.begun ?? ''}`} opened={opened.data} again={opened.again} />;
}

/** Where one begins a new rule, or goes on with a draft. */
export function DraftsList() {
  const { data, error, again } = useLoad(() => api.drafts(), 'drafts');
  const [id, setId] = useState('');
  return (
    <>
      <form
        class="filters"
        onSubmit={(event) => {
          event.preventDefault();
          go(href('rules', 'edit', id));
        }}
      >
        <label>
          <span>{t('editor.new')}</span>
          <input value={id} pattern="[a-z0-9][a-z0-9_.\-]*" maxLength={64} required onInput={(event) => setId(event.currentTarget.value)} />
        </label>
        <button type="submit" class="primary">{t('editor.begin')}</button>
      </form>
      {error && <Failed error={error} again={again} />}
      {data && !data.length && <p class="quiet empty">{t('editor.drafts.none')}</p>}
      <ul class="plain-list" data-test="drafts">
        {data?.map((one) => (
          <li key={one.rule} class="row">
            <span>
              <a href={href('rules', 'edit', one.rule)}>{one.rule}</a> <span class="quiet">{t('editor.changed', { time: moment(one.changed) })}</span>
            </span>
            <Drop id={one.rule} run={() => api.dropDraft(one.rule)} after={again} />
          </li>
        ))}
      </ul>
    </>
  );
}

/** Ask before a draft is dropped: it is kept nowhere else. */
function Drop({ id, run, after }: { id: string; run: () => Promise<unknown>; after: () => void }) {
  const [asking, ask] = useState(false);
  return (
    <>
      <button type="button" onClick={() => ask(true)}>{t('editor.drop')}<span class="only-read"> {id}</span></button>
      {asking && (
        <Dialog title={t('editor.drop.sure', { id })} onClose={() => ask(false)}>
          <form onSubmit={(event) => event.preventDefault()}>
            <p>{t('editor.drop.help')}</p>
            <Footer word={t('editor.drop')} onClose={() => ask(false)} run={run} after={after} />
          </form>
        </Dialog>
      )}
    </>
  );
}

function Desk({ opened, again }: { opened: RuleOpened; again: () => void }) {
  const { id, base } = opened;
  const [text, setText] = useState(opened.draft?.text ?? (opened.text || skeleton(id)));
  const [begunFrom, setBegunFrom] = useState(opened.draft?.base ?? base);
  const { checked, failure } = useChecked(text);
  const saved = useSaved(id, text, begunFrom, opened);
  const [taken, setTaken] = useState(0);
  const take = (former: string) => {
    setText(former);
    setTaken((n) => n + 1);
  };
  const [goTo, setGoTo] = useState({ line: 1, turn: 0 });
  const show = (line: number) => setGoTo((old) => ({ line, turn: old.turn + 1 }));
  const tools = useTools();
  const complete = useCallback((context: CompletionContext) => completion(context, tools.current.schema, tools.current.words), []);
  const change = useCallback((next: string) => setText(next), []);
  const rule = checked?.rules.find((one) => one.id === id);
  const sound = checked !== null && !checked.problems.length;
  const moved = begunFrom !== base;
  return (
    <div class="rule-desk" data-test="rule-desk">
      <header class="row">
        <h2 class="code">{id}</h2>
        <span class="quiet" role="status" data-test="saved">
          {saved.error || (saved.at ? t('editor.saved', { time: clockTime(saved.at) }) : opened.draft ? t('editor.yours', { time: moment(opened.draft.changed) }) : t('editor.untouched'))}
        </span>
        {(saved.at > 0 || opened.draft) && <Drop id={id} run={() => saved.drop()} after={again} />}
      </header>
      <Others others={saved.others} begun={opened.draft?.begun ?? null} />
      {moved && (
        <p class="hint model-bad" role="alert" data-test="moved">
          {t('editor.moved')} <button type="button" onClick={() => setBegunFrom(base)}>{t('editor.moved.take')}</button>
        </p>
      )}
      {opened.template && <p class="hint" data-test="made-from">{t('editor.template', { template: opened.template.id, file: opened.template.file, line: opened.template.line })}</p>}
      <p class="quiet">{t('editor.help')}</p>
      <div class="rule-parts">
        <CodeEditor key={taken} label={t('editor.text', { id })} text={text} change={change} flaws={checked?.problems ?? NONE} complete={complete} goTo={goTo} />
        <aside>
          <Problems checked={checked} failure={failure} show={show} />
          <Tests checked={checked} show={show} />
          {rule?.raise_version && <p class="hint" data-test="raise">{t('editor.raise', { version: rule.version })}</p>}
        </aside>
      </div>
      <section>
        <h3>{t('editor.difference')}</h3>
        {text === opened.text ? <p class="quiet">{t('editor.same')}</p> : <CodeDifference label={t('editor.difference')} before={opened.text} after={text} />}
      </section>
      <Road id={id} text={text} base={begunFrom} ready={sound && rule !== undefined && rule.how !== 'same' && !moved} save={saved.now} after={again} />
      <RuleHistory id={id} base={base} after={again} take={take} />
    </div>
  );
}

const NONE: readonly Flaw[] = [];

/** The schema and the site's names, read once. */
function useTools() {
  const tools = useRef<{ schema: Awaited<ReturnType<typeof api.ruleSchema>> | null; words: Awaited<ReturnType<typeof api.ruleWords>> | null }>({ schema: null, words: null });
  useEffect(() => {
    void api.ruleSchema().then((schema) => (tools.current.schema = schema), () => undefined); // without them one writes by hand
    void api.ruleWords().then((words) => (tools.current.words = words), () => undefined);
  }, []);
  return tools;
}

/** Have a text checked once one pauses; what comes for an older text is thrown away, what is shown stays until then. */
function useChecked(text: string): { checked: DraftChecked | null; failure: string } {
  const [state, setState] = useState<{ checked: DraftChecked | null; failure: string }>({ checked: null, failure: '' });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let stale = false;
    let later: ReturnType<typeof setTimeout> | undefined;
    const ask = () =>
      api.checkDraft(text).then(
        (checked) => !stale && setState({ checked, failure: '' }),
        (reason: unknown) => {
          if (stale) return;
          setState({ checked: null, failure: reason instanceof ApiError ? reason.message : String(reason) });
          later = setTimeout(() => setTurn((n) => n + 1), 5000);
        },
      );
    const timer = setTimeout(() => void ask(), CHECK_AFTER);
    return () => {
      stale = true;
      clearTimeout(timer);
      clearTimeout(later);
    };
  }, [text, turn]);
  return state;
}

/** Keep a changed text on the server once one pauses, and when one leaves. */
function useSaved(id: string, text: string, base: string, opened: RuleOpened) {
  const [state, setState] = useState({ at: 0, error: '', others: opened.others });
  const last = useRef({ text: opened.draft?.text ?? (opened.text || skeleton(id)), base: opened.draft?.base ?? opened.base });
  const wanted = useRef({ text, base });
  const over = useRef(false);
  wanted.current = { text, base };
  const save = useCallback(async () => {
    const next = wanted.current;
    if (over.current || (next.text === last.current.text && next.base === last.current.base)) return;
    const kept = await api.saveDraft(id, next.text, next.base);
    last.current = next;
    setState({ at: kept.draft.changed, error: '', others: kept.others });
  }, [id]);
  const quietly = useCallback(() => save().catch((reason: unknown) => setState((old) => ({ ...old, error: reason instanceof Error ? reason.message : String(reason) }))), [save]);
  useEffect(() => {
    const timer = setTimeout(() => void quietly(), SAVE_AFTER);
    return () => clearTimeout(timer);
  }, [text, base]);
  useEffect(() => () => void quietly(), []);
  const drop = async () => {
    over.current = true;
    await api.dropDraft(id);
  };
  return { ...state, now: save, drop };
}

/** Who else works on the same rule: whoever began later reads it first, and so does the other with the next stroke. */
function Others({ others, begun }: { others: OtherDraft[]; begun: number | null }) {
  if (!others.length) return null;
  return (
    <div role="alert" data-test="others">
      <ul class="model-warnings">
        {others.map((one) => (
          <li key={one.actor}>
            {t(begun !== null && begun < one.begun ? 'editor.other.later' : 'editor.other', { who: actorName(one.actor), time: moment(one.changed) })}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Problems({ checked, failure, show }: { checked: DraftChecked | null; failure: string; show: (line: number) => void }) {
  const problems = checked?.problems ?? [];
  return (
    <section aria-live="polite" data-test="problems">
      <h3>{t('code.problems')}</h3>
      {failure && <p class="failed">{failure}</p>}
      {!checked && !failure && <p class="quiet">{t('editor.checking')}</p>}
      {checked && !problems.length && <p class="model-good">✓ {t('code.problems.none')}</p>}
      <ul class="plain-list">
        {problems.map((one) => (
          <li key={`${one.line} ${one.field} ${one.message}`}>
            <button type="button" onClick={() => show(one.line)}>{t('replay.line', { n: one.line })}</button> <span class="code">{one.field}</span> <span lang={one.said && one.said !== one.message ? undefined : 'en'}>{one.said || one.message}</span>
          </li>
        ))}
      </ul>
      {checked && checked.more > 0 && <p class="quiet">{t('modes.more', { n: checked.more })}</p>}
    </section>
  );
}

const MARKS = { passed: '✓', failed: '✗', not_run: '–' } as const;

function Tests({ checked, show }: { checked: DraftChecked | null; show: (line: number) => void }) {
  if (!checked) return null;
  const passed = checked.tests.filter((one) => one.state === 'passed').length;
  const ran = checked.tests.some((one) => one.state !== 'not_run'); // none does while the text cannot be read
  return (
    <section aria-live="polite" data-test="tests">
      <h3>{ran ? t('editor.tests', { passed, of: checked.tests.length }) : t('editor.tests.not_run')}</h3>
      <ul class="plain-list">
        {checked.tests.map((one) => (
          <li key={`${one.rule} ${one.line}`} data-state={one.state}>
            <span class={one.state === 'failed' ? 'model-bad' : one.state === 'passed' ? 'model-good' : 'quiet'}>
              <span aria-hidden="true">{MARKS[one.state]}</span> {tCode('editor.test', one.state)}
            </span>{' '}
            <button type="button" onClick={() => show(one.line)}>{t('replay.line', { n: one.line })}</button> {tName(one.name)}
          </li>
        ))}
      </ul>
    </section>
  );
}

interface RoadProps {
  id: string;
  text: string;
  base: string;
  ready: boolean;
  save: () => Promise<void>;
  after: () => void;
}

/** What to do with a draft that is sound: try it on the past, run it in the shadow, put it in force. */
function Road({ id, text, base, ready, save, after }: RoadProps) {
  const [reason, setReason] = useState('');
  const why = reason.trim();
  const replay = async () => {
    await save();
    go(`${href('rules', 'replay')}?rule=${encodeURIComponent(id)}`);
  };
  const shadow = async () => {
    await api.shadowDraft(id, text, why);
    await save();
    go(`${href('rules', 'shadow')}?rule=${encodeURIComponent(id)}`);
  };
  const publish = async () => {
    await save();
    const done = await api.publishDraft(id, text, base, why);
    tell(done.waiting ? t('shadow.waiting') : t('versions.done', { version: done.version }));
    if (!done.waiting && done.folder === 'differs') tell(t('editor.folder.differs'));
    setReason('');
    after();
  };
  return (
    <section class="rule-road" data-test="road">
      <h3>{t('editor.road')}</h3>
      {!ready && <p class="quiet">{t('editor.road.not')}</p>}
      <Words label={t('models.reason')} value={reason} change={setReason} rows={2} longest={500} />
      <div class="buttons">
        <Action disabled={!ready} run={replay}>{t('rules.tab.replay')}</Action>
        <Action disabled={!ready || !why} run={shadow} done={t('shadow.done.begin')}>{t('rules.tab.shadow')}</Action>
        <Action class="primary" disabled={!ready || !why} run={publish}>{t('shadow.promote')}</Action>
      </div>
      <p class="quiet">{t('editor.road.replay')}</p>
    </section>
  );
}
