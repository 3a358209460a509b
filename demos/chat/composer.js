/** While somebody types, how often the others are told. */
const TYPING_EVERY_MS = 2_000;

/** How high the field grows, in pixels. */
const HEIGHT_MAX = 160;

/** Where something is written: a new message, or an old one said another way. */
export class Composer {
  #form;
  #text;
  #banner;
  #on;
  #toldTyping_ms = 0;
  /** The id of the message that is being edited. */
  #editing = "";

  /**
   * @param {HTMLFormElement} form
   * @param {{ say: (text: string) => void, edit: (id: string, text: string) => void, typing: (active: boolean) => void }} on
   */
  constructor(form, on) {
    this.#form = form;
    this.#on = on;
    this.#text = form.querySelector("textarea");
    this.#banner = form.querySelector("[data-part=editing]");
    form.querySelector("[data-part=cancel]").addEventListener("click", () => this.#stop());
    this.#text.addEventListener("input", () => this.#typed());
    this.#text.addEventListener("keydown", (event) => this.#key(event));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  /** Begins to change a message. */
  edit(id, text) {
    this.#editing = id;
    this.#banner.hidden = false;
    this.#text.value = text;
    this.#fit();
    this.#text.focus();
  }

  #stop() {
    this.#editing = "";
    this.#banner.hidden = true;
    this.#text.value = "";
    this.#fit();
  }

  #submit() {
    const said = this.#text.value.trim();
    if (!said) return;
    const editing = this.#editing;
    this.#stop();
    this.#tell(false);
    if (editing) this.#on.edit(editing, said);
    else this.#on.say(said);
  }

  #key(event) {
    if (event.key === "Escape" && this.#editing) this.#stop();
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#form.requestSubmit();
  }

  #typed() {
    this.#fit();
    this.#tell(this.#text.value.trim() !== "");
  }

  /** Tells the others, but not with every letter. */
  #tell(active) {
    const now = Date.now();
    if (active && now - this.#toldTyping_ms < TYPING_EVERY_MS) return;
    this.#toldTyping_ms = active ? now : 0;
    this.#on.typing(active);
  }

  #fit() {
    this.#text.style.height = "auto";
    this.#text.style.height = `${Math.min(this.#text.scrollHeight, HEIGHT_MAX)}px`;
  }
}
