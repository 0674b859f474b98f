// The page's side of the box of luggage, see luggage.py, which puts common.js before it.
//
// A zip travels as base64 text, because not every kernel takes bytes.

const BUSY =
  "The kernel does not answer yet. If it is busy with another cell, this is done as soon as that " +
  "is; if it was restarted or shut down, run this cell again.";
const PIECE = 2 ** 20; // bytes of a message: Jupyter's server takes none of more than 10 MB

/** Let the browser save a file. */
function save(name, text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const href = URL.createObjectURL(new Blob([bytes], { type: "application/zip" }));
  make("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}

/** The bytes as base64 text. */
function asText(bytes) {
  let characters = "";
  for (const byte of bytes) characters += String.fromCharCode(byte);
  return btoa(characters);
}

/** Cut the bytes of a file into the messages that bring it to Python. */
function pieces(bytes) {
  const count = Math.max(1, Math.ceil(bytes.length / PIECE));
  return Array.from({ length: count }, (_, k) => ({
    do: "unpack",
    piece: asText(bytes.subarray(k * PIECE, (k + 1) * PIECE)),
    first: k === 0,
    last: k === count - 1,
  }));
}

export default {
  render({ model, el }) {
    const status = make("p", { role: "status" });
    let silence = "";
    let hasAsked = false; // this view; another one may show the same box
    const post = new Post(model, BUSY, (text) => {
      silence = text;
      tell();
    });
    const packing = button("Download my work", () => {
      hasAsked = true;
      post.send({ do: "pack" });
    });
    const file = make("input", { type: "file", accept: ".zip,application/zip" });
    file.addEventListener("change", async () => {
      const [chosen] = file.files;
      if (!chosen) return;
      const bytes = new Uint8Array(await chosen.arrayBuffer());
      for (const piece of pieces(bytes)) post.send(piece);
      file.value = ""; // so that the same file can be chosen again
    });

    function tell() {
      status.textContent = silence || model.get("words");
      status.className = silence || model.get("is_problem") ? "luggage-notice" : "";
    }

    const onMessage = (content) => {
      if (!hasAsked || content.zip === undefined) return;
      hasAsked = false;
      save(content.name, content.zip);
    };
    const back = make("label", {}, "Bring it back: ", file);
    const root = make("section.luggage", {}, make("p", {}, packing, back), status);
    root.setAttribute("aria-label", "Your work, to take along");
    el.append(root);
    model.on("msg:custom", onMessage);
    model.on("change:words", tell);
    model.on("change:is_problem", tell);
    tell();
    return () => {
      model.off("msg:custom", onMessage);
      post.end();
    };
  },
};
