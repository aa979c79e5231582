/** A button that lets a person choose a file of their own and opens it. */

import { useRef } from "preact/hooks";
import { openFile } from "../store/opening";
import { useStudio } from "./context";
import { Button } from "./controls";
import type { IconName } from "./icons";

export function FileButton({
  testid,
  label,
  icon,
  accept,
}: {
  testid: string;
  label: string;
  icon: IconName;
  accept: string;
}) {
  const studio = useStudio();
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button testid={testid} label={label} icon={icon} onClick={() => input.current?.click()} />
      <input
        ref={input}
        type="file"
        class="unseen"
        tabIndex={-1}
        aria-label={label}
        data-testid={`${testid}-file`}
        accept={accept}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          if (file) void openFile(studio, file);
          event.currentTarget.value = "";
        }}
      />
    </>
  );
}
