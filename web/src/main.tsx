import { render } from "preact";
import { studio } from "./store/current";
import { bindKeys } from "./store/keys";
import { takeDropsAndPastes } from "./store/opening";
import { showTheme } from "./store/theme";
import "./styles/tokens.css";
import "./styles/controls.css";
import "./styles/layout.css";
import "./styles/panels.css";
import "./styles/time.css";
import "./styles/start.css";
import "./styles/dialogs.css";
import "./styles/vectors.css";
import "./styles/photo.css";
import "./styles/teaching.css";
import "./styles/parts.css";
import "./styles/drawings.css";
import "./styles/things.css";
import "./styles/narrow.css";
import { App } from "./ui/app";

showTheme();
bindKeys(() => studio.value);
takeDropsAndPastes(() => studio.value);

const root = document.getElementById("app");
if (root) render(<App />, root);
