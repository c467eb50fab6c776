// The page: keys, an automatic player, and what the counters say.

import { isolationReport } from "../../../dist/index.js";
import { Studio } from "./studio.mjs";

const SCALE = [0, 2, 4, 7, 9, 12, 14, 16, 19, 21, 24];
const KEYS = "asdfghjkl;'";
const PACE = 24;
const SHOW_MS = 250;
const PLAY_MS = 60;

const element = (id) => document.getElementById(id);
const frequencyOf = (key) => 220 * 2 ** (SCALE[key] / 12);

let studio;
const down = new Map();

function keyDown(key) {
  if (studio && key >= 0 && !down.has(key)) down.set(key, studio.press(frequencyOf(key)));
}

function keyUp(key) {
  studio?.release(down.get(key));
  down.delete(key);
}

/** Presses and releases keys by itself. */
function play() {
  if (!element("auto").checked) return;
  const key = Math.floor(Math.random() * SCALE.length);
  if (down.has(key)) keyUp(key);
  else keyDown(key);
}

function show() {
  if (!studio) return;
  const { started, sounding, nulls } = studio.figures;
  element("figures").textContent =
    `${sounding} voices sound; ${started} were allocated, ${nulls} times in vain`;
}

async function start() {
  element("start").disabled = true;
  studio = new Studio({ pace: Number(element("pace").value) });
  await studio.open();
  element("stop").disabled = false;
}

async function stop() {
  element("stop").disabled = true;
  for (const key of [...down.keys()]) keyUp(key);
  const ending = studio;
  studio = undefined;
  const out = await ending.close();
  element("figures").textContent = `stopped; objects that are still out: ${JSON.stringify(out)}`;
  element("start").disabled = false;
}

function makeKeys() {
  for (const key of SCALE.keys()) {
    const button = document.createElement("button");
    button.textContent = KEYS[key];
    button.onpointerdown = () => keyDown(key);
    button.onpointerup = () => keyUp(key);
    button.onpointerleave = () => keyUp(key);
    element("keys").append(button);
  }
}

const { available, reasons } = isolationReport();
element("figures").textContent = available ? "" : reasons.join(" ");
element("start").disabled = !available;
element("pace").value = PACE;
element("start").onclick = start;
element("stop").onclick = stop;
element("load").onclick = () => studio?.addLoad();
element("pace").oninput = ({ target }) => {
  if (studio) studio.pace = Number(target.value);
};
addEventListener("keydown", ({ key, repeat }) => repeat || keyDown(KEYS.indexOf(key)));
addEventListener("keyup", ({ key }) => keyUp(KEYS.indexOf(key)));
makeKeys();
setInterval(play, PLAY_MS);
setInterval(show, SHOW_MS);
