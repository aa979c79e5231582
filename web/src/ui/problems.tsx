/** What could not be done, beside what caused it. */

import type { Problem } from "../messages";
import { useStudio } from "./context";
import { Icon } from "./icons";

export function Problems({ about }: { about: readonly Problem["about"][] }) {
  const { session } = useStudio();
  const found = session.problems.value.filter((problem) => about.includes(problem.about));
  return (
    <>
      {found.map((problem) => (
        <div key={problem.about} class="problem" role="alert" data-testid={`problem-${problem.about}`}>
          <p>{problem.sentence}</p>
          <button
            type="button"
            class="dismiss"
            aria-label="Dismiss"
            data-testid={`problem-${problem.about}-dismiss`}
            onClick={() => session.dismiss(problem.about)}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
    </>
  );
}
