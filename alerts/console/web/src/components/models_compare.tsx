/** Two models side by side, what differs marked; and the command that holds both against the same history. */
import { t } from '../i18n';

export interface Column {
  version: string;
  facts: Record<string, string>;
}

export function Compare({ columns, command }: { columns: Column[]; command?: string }) {
  const names = [...new Set(columns.flatMap((one) => Object.keys(one.facts)))];
  return (
    <section aria-labelledby="compare-title" data-test="compare">
      <h2 id="compare-title">{t('models.compare.title')}</h2>
      <div class="scroll-x" tabIndex={0} role="group" aria-labelledby="compare-title">
        <table class="model-compare">
          <thead>
            <tr>
              <th scope="col">
                <span class="only-read">{t('models.compare.what')}</span>
              </th>
              {columns.map((one) => (
                <th key={one.version} scope="col">
                  <span class="code">{one.version}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {names.map((name) => {
              const values = columns.map((one) => one.facts[name] ?? '—');
              const differs = new Set(values).size > 1;
              return (
                <tr key={name} class={differs ? 'differs' : ''}>
                  <th scope="row">
                    {name}
                    {differs && <span class="only-read"> {t('models.compare.differs')}</span>}
                  </th>
                  {values.map((value, at) => (
                    <td key={columns[at]?.version}>{value}</td>
                  ))}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {command && (
        <p class="quiet">
          {t('models.compare.history')} <code>foreshock models {command} {columns.map((one) => one.version).join(' ')}</code>
        </p>
      )}
    </section>
  );
}
