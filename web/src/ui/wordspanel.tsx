/** Which text-image model reads the words; nothing where there is only one. */

import { useStudio } from "./context";
import { Section } from "./controls";

export function WordsPanel() {
  const { session, editable } = useStudio();
  const names = session.welcome.value?.words ?? [];
  if (names.length < 2) return null;
  const chosen = session.document.value?.words ?? names[0];
  return (
    <Section name="words" title="Model of words">
      <select
        class="field"
        aria-label="Model that reads the words"
        data-testid="words-model"
        value={chosen}
        disabled={!editable.value}
        onChange={(event) => session.change({ label: "Choose model", words: event.currentTarget.value })}
      >
        {names.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      <p class="quiet">It compares the drawing with the words; another one has other ideas of both.</p>
    </Section>
  );
}
