// The page's side of the panel of progress, see progress_panel.py, which puts common.js before it.
//
// Python sends the HTML, which also stands in for the panel where no kernel runs.

const SILENT =
  "The kernel does not answer. If it is busy with another cell, this is brought up to date as soon " +
  "as that is done; if it was restarted or shut down, run this cell again.";

/** Let JupyterLab open a link to a notebook in a tab of its own; elsewhere it leads there itself. */
function openInTab(link, model) {
  const here = model.widget_manager?.context?.path;
  if (here === undefined) return;
  const path = here.slice(0, here.lastIndexOf("/") + 1) + link.getAttribute("href");
  link.dataset.commandlinkerCommand = "docmanager:open";
  link.dataset.commandlinkerArgs = JSON.stringify({ path });
}

export default {
  render({ model, el }) {
    const content = make("div");
    const status = make("span", { role: "status" });
    const notice = make("p.progress-notice", { role: "status" });
    let silence = "";
    const post = new Post(model, SILENT, (text) => {
      silence = text;
      status.textContent = text ? "" : `Up to date at ${new Date().toLocaleTimeString()}.`;
      tell();
    });
    const refresh = button("Refresh", () => post.send({}));

    function tell() {
      notice.textContent = silence || model.get("note");
    }

    function show() {
      content.innerHTML = model.get("html");
      for (const link of content.querySelectorAll("a")) openInTab(link, model);
    }

    const foot = make("p", {}, refresh, status);
    const root = make("section.progress-panel", {}, content, notice, foot);
    root.setAttribute("aria-label", "Your progress");
    el.append(root);
    model.on("change:html", show);
    model.on("change:note", tell);
    show();
    tell();
    const seen = new IntersectionObserver((entries) => {
      if (!entries.at(-1).isIntersecting) return;
      try {
        model.send({}); // nobody waits for the answer
      } catch {} // the connection is closed: the button tells
    });
    seen.observe(root);
    return () => {
      seen.disconnect();
      post.end();
    };
  },
};
