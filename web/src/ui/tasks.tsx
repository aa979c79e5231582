/** The edits of a mode that has several. */

import { useStudio } from "./context";
import { Section, Segments } from "./controls";

export function Tasks() {
  const { modes, mode, session, things } = useStudio();
  const current = mode.value?.edit;
  if (!current?.group) return null;
  const options = modes.value
    .filter(({ edit }) => edit.group === current.group)
    .map(({ edit }) => ({ value: edit.name, label: edit.title }));
  const take = (edit: string) => {
    const copied = session.document.value?.other;
    if (edit === "paste" && copied) things.paste();
    else
      session.change({
        label: options.find(({ value }) => value === edit)?.label ?? edit,
        ...things.task(edit),
      });
  };
  return (
    <Section name="tasks" title={current.group}>
      <Segments
        testid="task"
        label="What to do"
        value={current.name}
        options={options}
        disabled={session.run.value !== null}
        onChange={take}
      />
      <p class="quiet">{current.summary}</p>
    </Section>
  );
}
