/** What the reader's browser keeps between visits; nothing, where it may not. */
export const memory = {
  key: "gesso lab",
  all() {
    try {
      return JSON.parse(localStorage.getItem(this.key)) || {};
    } catch {
      return {};
    }
  },
  get(name) {
    return this.all()[name];
  },
  set(name, value) {
    try {
      localStorage.setItem(this.key, JSON.stringify({...this.all(), [name]: value}));
    } catch {
      /* a private window */
    }
  },
};
