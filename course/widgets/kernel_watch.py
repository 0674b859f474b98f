"""A line below other widgets that says what to do once the kernel has forgotten them."""

import anywidget


class KernelWatch(anywidget.AnyWidget):
    """Sliders and buttons stay on the page when the kernel is restarted, but nobody listens."""

    _esm = """
    export default {
      render({ model, el }) {
        el.setAttribute("role", "status");
        model.on("comm_live_update", () => {
          el.textContent = "The kernel was restarted or is gone: run this cell again.";
        });
      },
    };
    """
