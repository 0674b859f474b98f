"""Sliders and the download button when the kernel has forgotten them."""

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
