"""`python -m course draw` in a real browser: the canvas is there and answers, with no click."""

import signal
import subprocess
import sys


def test_draw_opens_just_the_widget(chromium, tmp_path):
    command = [sys.executable, "-m", "course", "draw", "--no-browser"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    page = chromium.new_context(viewport={"width": 1100, "height": 1000}).new_page()
    try:
        address = process.stdout.readline().split()[-1]
        elsewhere = []
        page.on("request", lambda r: elsewhere.append(r.url) if "://localhost" not in r.url else 0)
        page.goto(address)
        surface = page.locator(".recognizer-surface")
        surface.wait_for(timeout=60_000)
        box = surface.bounding_box()
        for x, y, move in [(80, 70, 0), (200, 72, 8), (130, 220, 10)]:  # a seven
            page.mouse.move(box["x"] + x, box["y"] + y, steps=move or 1)
            page.mouse.down()
        page.mouse.up()
        readings = page.locator(".recognizer-model[data-digit='7']")
        readings.nth(3).wait_for(timeout=10_000)
        assert readings.count() == 4
        offline = [url for url in elsewhere if not url.startswith(("data:", "blob:"))]
        assert offline == []
    finally:
        page.context.close()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
