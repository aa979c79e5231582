/** Projects that the server keeps. */

import { useEffect, useState } from "preact/hooks";
import type { RecentProject } from "../messages";
import { deleteProject, getProjects, projectThumbAddress } from "../store/api";
import { openSession } from "../store/current";
import { report } from "../store/opening";
import { useStudio } from "./context";
import { IconButton } from "./controls";
import { Still } from "./still";
import { ago, count } from "./words";

const SHOWN = 8;

function Card({ project, onDelete }: { project: RecentProject; onDelete: () => void }) {
  const { session, starting } = useStudio();
  const open = () => {
    if (project.session === session.id) starting.value = false;
    else openSession(project.session);
  };
  return (
    <li class="project">
      <button type="button" class="project-open" data-testid={`project-${project.session}`} onClick={open}>
        <Still src={projectThumbAddress(project.session)} />
        <span class="project-words">
          <span class="branch-title">{project.title}</span>
          <span class="quiet">
            {ago(project.changed)} · {count(project.nodes, "picture")}
          </span>
        </span>
      </button>
      <IconButton
        testid={`project-${project.session}-delete`}
        icon="trash"
        label={`Delete ${project.title}`}
        onClick={onDelete}
      />
    </li>
  );
}

export function Projects() {
  const studio = useStudio();
  const [projects, setProjects] = useState<readonly RecentProject[]>([]);
  const load = () => getProjects().then(setProjects, (problem) => report(studio, "project", problem));
  useEffect(() => void load(), []);
  const remove = async (project: RecentProject) => {
    if (!confirm(`Delete “${project.title}” with all its branches? This cannot be undone.`)) return;
    await deleteProject(project.session).catch((problem) => report(studio, "project", problem));
    await load();
  };
  if (projects.length === 0) return null;
  return (
    <section class="projects" aria-label="Recent projects">
      <h2>Go on with</h2>
      <ul data-testid="projects">
        {projects.slice(0, SHOWN).map((project) => (
          <Card key={project.session} project={project} onDelete={() => void remove(project)} />
        ))}
      </ul>
    </section>
  );
}
