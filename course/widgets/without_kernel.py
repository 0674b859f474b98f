"""A line above a widget, for a page that is loaded without its kernel."""

import os

from IPython.display import display

# There JupyterLab says no more than "model not found".
WITHOUT_KERNEL = (
    'If there is only "model not found" below, this notebook\'s kernel was restarted or is gone: '
    "run this cell again, and those above it."
)
JUPYTER = "JPY_SESSION_NAME"  # what Jupyter's server tells the kernels that pages talk to


class WithoutKernel:
    """The other base of a widget that leaves such a line above it; `common.js` hides it meanwhile.

    Where a notebook is run without a page, to be stored or compared, there is none. `shown` is the
    handle by which what was displayed can be replaced.
    """

    shown = None

    def _ipython_display_(self):
        if JUPYTER in os.environ:
            html = f'<p class="course-without-kernel">{WITHOUT_KERNEL}</p>'
            display({"text/html": html, "text/plain": WITHOUT_KERNEL}, raw=True)
        bundle = self._repr_mimebundle_()
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        self.shown = display(data, metadata=metadata, raw=True, display_id=True)
