/** The frame as a program and as commands, to be copied. */

import { useEffect, useState } from "preact/hooks";
import type { Place } from "../messages";
import { useStudio } from "./context";
import { Button, Segments } from "./controls";

const LANGUAGES = [
  { value: "python", label: "Python" },
  { value: "command", label: "Commands" },
] as const;

export function ScriptText({ place }: { place: Place }) {
  const { session } = useStudio();
  const [language, setLanguage] = useState<"python" | "command">("python");
  const [copied, setCopied] = useState(false);
  const { node, step } = place;
  useEffect(() => {
    session.script.value = null;
    session.send({ type: "ask_script", place: { node, step } });
  }, [session, node, step]);
  const text = session.script.value?.[language] ?? "";
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <>
      <Segments
        testid="script-language"
        label="Language"
        value={language}
        options={LANGUAGES}
        onChange={setLanguage}
      />
      <textarea
        class="script"
        readOnly
        spellcheck={false}
        rows={12}
        aria-label="Script"
        data-testid="script-text"
        value={text}
      />
      <footer class="dialog-foot">
        <Button
          testid="script-copy"
          kind="primary"
          icon="copy"
          label={copied ? "Copied" : "Copy"}
          disabled={text === ""}
          onClick={() => void copy()}
        />
      </footer>
    </>
  );
}
