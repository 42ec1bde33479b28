import {memory} from "../memory.js";

const listeners = new Set();

/** Which exercises are solved, and what the reader wrote; both survive a reload. */
export const progress = {
  solved: (id) => Boolean(memory.get("solved")?.[id]),
  mark(id) {
    if (this.solved(id)) return;
    memory.set("solved", {...memory.get("solved"), [id]: true});
    listeners.forEach((tell) => tell());
  },
  answer: (id) => memory.get("answers")?.[id],
  keep(id, text) {
    memory.set("answers", {...memory.get("answers"), [id]: text});
  },
  forget() {
    memory.set("solved", {});
    memory.set("answers", {});
    listeners.forEach((tell) => tell());
  },
  /** Calls `tell` now, and whenever something is solved or forgotten. */
  watch(tell) {
    listeners.add(tell);
    tell();
  },
};
