/** A field that is searched by once it is left or Enter is pressed; a page that is drawn anew meanwhile keeps what was typed. */
import { useState } from 'preact/hooks';

export function Search({ value, change, example }: { value: string; change: (value: string) => void; example?: string }) {
  const [typed, setTyped] = useState<string | null>(null);
  return (
    <input
      type="search"
      value={typed ?? value}
      placeholder={example}
      maxLength={200}
      onInput={(event) => setTyped(event.currentTarget.value)}
      onChange={(event) => {
        setTyped(null);
        change(event.currentTarget.value.trim());
      }}
    />
  );
}
