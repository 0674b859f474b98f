"""Every widget when the kernel has forgotten it, and whom a screen reader hears of."""

from course.widgets.without_kernel import WITHOUT_KERNEL

GONE = "The kernel was restarted or is gone: run this cell again."


def test_widgets_say_that_the_kernel_was_restarted_even_on_a_reloaded_page(open_notebook):
    notebook = open_notebook("00-start-here.ipynb")
    code = """
        from course.widgets import download_button, explorer
        from course import plots
        display(download_button.DownloadButton())
        explorer.Explorer(lambda size=1: plots.subplots()[0], size=(0, 2))"""
    notebook.replace_cells("\n".join(line.strip() for line in code.splitlines()))
    notebook.run_cell(0)
    slider = notebook.page.get_by_role("slider")
    slider.wait_for()
    assert notebook.page.get_by_text(GONE).count() == 0
    notebook.save()
    notebook.page.reload()
    slider.wait_for()
    notebook.end_kernel()
    notebook.page.get_by_text(GONE).nth(1).wait_for()


EVERY_WIDGET = """
    import numpy as np
    from course import plots, xor
    from course.attention import PatchAttention
    from course.recognizer.widget import Recognizer
    from course.widgets import download_button, explorer, predict
    from course.widgets.attention_explorer import AttentionExplorer
    from course.widgets.backprop_stepper import BackpropStepper
    from course.widgets.kernel_hover import KernelHover
    from course.widgets.luggage import Luggage
    from course.widgets.progress_panel import ProgressPanel
    from course.widgets.training_panel import TrainingPanel
    digits = np.zeros((1, 784), np.float32)
    Recognizer()
    AttentionExplorer(PatchAttention(seed=0), digits)
    BackpropStepper(xor.XOR(seed=0))
    download_button.DownloadButton()
    explorer.Explorer(lambda size=1: plots.subplots()[0], size=(0, 2))
    KernelHover({"edge": np.ones((3, 3))}, digits)
    TrainingPanel(digits, np.zeros(1, int))
    predict.Predictions("every")("name", "Why?")
    Luggage()
    ProgressPanel("every")"""


def test_a_page_that_was_reloaded_without_its_kernel_says_above_each_widget_what_to_do(
    open_notebook,
):
    notebook = open_notebook("00-start-here.ipynb")
    lines = [line.strip() for line in EVERY_WIDGET.strip().splitlines()]
    first = lines.index("Recognizer()")
    widgets = lines[first:]
    notebook.replace_cells("\n".join(lines[:first]), *widgets)
    notebook.run_all()
    assert notebook.errors() == []
    line = notebook.page.get_by_text(WITHOUT_KERNEL)
    assert [one.is_visible() for one in line.all()] == len(widgets) * [False]
    notebook.save()
    notebook.end_kernel()
    notebook.page.reload()
    missing = notebook.page.get_by_text("Error displaying widget: model not found")
    missing.nth(len(widgets) - 1).wait_for()
    assert [one.is_visible() for one in line.all()] == len(widgets) * [True]


def test_pictures_and_sliders_have_a_name(open_notebook):
    notebook = open_notebook("00-start-here.ipynb")
    picture = """
        from course import plots
        from course.widgets import explorer
        figure, ax = plots.subplots()
        ax.set_title("from α to ω")
        figure"""
    notebook.replace_cells(
        "\n".join(line.strip() for line in picture.splitlines()),
        "explorer.Explorer(lambda size=1: figure, size=(0, 2))",
    )
    notebook.run_all()
    notebook.page.get_by_role("slider", name="size").wait_for()
    notebook.page.locator(".jp-RenderedImage").get_by_alt_text("from α to ω").wait_for()
