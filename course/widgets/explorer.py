"""Sliders over a figure: what a lesson lets its reader play with."""

import html
import inspect
import struct

import ipywidgets as widgets

from course.plots.style import alt_metadata, base64_text
from course.widgets.kernel_watch import KernelWatch
from course.widgets.without_kernel import WithoutKernel


class Explorer(WithoutKernel, widgets.VBox):
    """Shows `function(**values)`, a Figure, under one control for each of its arguments.

    Each keyword gives an argument's choices: (low, high) or (low, high, step) makes a slider, a
    list a menu. They start at the function's own defaults. Where no kernel runs, in a page or on
    GitHub, the first figure is shown as a picture. An exception is shown, not lost.

    >>> Explorer(lambda pixels=5: draw(pixels), pixels=(-8, 8))
    """

    def __init__(self, function, **choices):
        self.function = function
        defaults = inspect.signature(function).parameters
        self.controls = {
            name: make_control(name, options, defaults[name].default)
            for name, options in choices.items()
        }
        self.png, self.alt = b"", ""
        self.picture, self.error = widgets.HTML(), widgets.HTML()
        super().__init__([*self.controls.values(), self.picture, self.error, KernelWatch()])
        for control in self.controls.values():
            control.observe(self._redraw, names="value")
        self._redraw()

    @property
    def values(self):
        """The values of all controls, by name."""
        return {name: control.value for name, control in self.controls.items()}

    def _redraw(self, change=None):
        try:
            figure = self.function(**self.values)
            self.png, self.alt = figure._repr_png_(), figure.alt
            self.picture.value = image_element(self.png, self.alt)
            self.error.value = ""
        except Exception as error:  # in a callback nobody else would hear of it
            self.error.value = html.escape(f"{type(error).__name__}: {error}")

    def __repr__(self):
        return f"Explorer({', '.join(f'{name}={value}' for name, value in self.values.items())})"

    def _repr_mimebundle_(self, **options):
        bundle = super()._repr_mimebundle_(**options)
        still = {"text/plain": repr(self), "image/png": base64_text(self.png)}
        return bundle | still, alt_metadata(self.alt)


def image_element(png, alt):
    """A picture as HTML, since an ipywidgets.Image has no alternative text.

    Its size is written down and it is decoded at once, so that nothing jumps when it is replaced.
    """
    width, height = struct.unpack(">II", png[16:24])  # where every PNG has them
    return (
        f'<img src="data:image/png;base64,{base64_text(png)}" alt="{html.escape(alt)}" '
        f'width="{width}" height="{height}" decoding="sync" style="max-width:100%;height:auto">'
    )


def make_control(name, options, value):
    """Make the slider or menu for one argument."""
    text = {"description": name.replace("_", " "), "style": {"description_width": "initial"}}
    if isinstance(options, list):
        return widgets.Dropdown(options=options, value=value, **text)
    low, high, *step = options
    whole = all(isinstance(number, int) for number in (*options, value))
    slider = widgets.IntSlider if whole else widgets.FloatSlider
    steps = {"step": step[0]} if step else {}
    return slider(value, min=low, max=high, **steps, **text)
