"""A line below other widgets that says what to do once the kernel has forgotten them."""

from pathlib import Path

import anywidget

COMMON = Path(__file__).with_name("common.js").read_text("utf-8")


class KernelWatch(anywidget.AnyWidget):
    """Sliders and buttons stay on the page when the kernel is restarted, but nobody listens."""

    _esm = f"""{COMMON}
    export default {{
      render({{ model, el }}) {{
        el.setAttribute("role", "status");
        model.on("comm_live_update", () => {{
          el.textContent = GONE;
        }});
      }},
    }};
    """
