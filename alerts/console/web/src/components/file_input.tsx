/** A button that chooses a file. The browser's own speaks the browser's language, whatever the page's is. */
interface Props {
  label: string;
  accept: string;
  disabled?: boolean;
  photo?: boolean; // from the camera where there is one
  choose: (file: File) => void;
}

export function FileInput({ label, accept, disabled = false, photo = false, choose }: Props) {
  return (
    <label class="button file" aria-busy={disabled}>
      {label}
      <input
        type="file"
        class="only-read"
        accept={accept}
        disabled={disabled}
        {...(photo ? { capture: 'environment' as const } : {})}
        onChange={({ currentTarget: input }) => {
          const file = input.files?.[0];
          if (file) choose(file);
          input.value = ''; // the same one may be chosen again
        }}
      />
    </label>
  );
}
