"""Picture files that are large, or made to do harm: what they may cost, and what is refused."""

import io
import os
import struct
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from course.recognizer import pictures
from course.recognizer.pictures import PictureError, from_picture

PEAK = """
import resource, sys
from course.recognizer.pictures import from_picture
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
before = peak()
assert max(from_picture(sys.argv[1]).shape) == 560
print(peak() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="others count other units")
@pytest.mark.parametrize(
    ("mode", "bytes_a_pixel", "suffix"),
    [("RGBA", 4, "png"), ("P", 1, "png"), ("I;16", 2, "png"), ("F", 4, "tiff")],
)
def test_a_large_picture_takes_the_memory_of_its_pixels_and_little_more(
    tmp_path, mode, bytes_a_pixel, suffix
):
    side = 4000
    path = tmp_path / f"large.{suffix}"
    options = {"compression": "tiff_adobe_deflate"} if suffix == "tiff" else {"compress_level": 1}
    if mode == "P":
        options["transparency"] = 0
    image = Image.new(mode, (side, side), 200)
    image.paste(0, (0, 0, side // 2, side // 2))
    image.save(path, **options)
    done = subprocess.run(
        [sys.executable, "-c", PEAK, path], capture_output=True, text=True, check=True
    )
    decoded, stored = side**2 * bytes_a_pixel, path.stat().st_size
    assert float(done.stdout) * 2**20 < decoded + 2 * stored + 25 * 2**20


def test_a_shrunk_picture_looks_as_pillow_would_shrink_it():
    rng = np.random.default_rng(2)
    for size in [(3000, 4100), (4100, 900), (2500, 2500)]:
        noise = Image.fromarray(rng.integers(0, 256, (40, 40, 4), np.uint8)).resize(size)
        found = pictures._shrink(noise)
        noise.thumbnail((560, 560), Image.Resampling.BOX)
        assert found.size == noise.size and max(found.size) == 560
        difference = np.abs(np.asarray(found, int) - np.asarray(noise, int))
        opaque = np.asarray(noise)[..., 3] > 50  # elsewhere a color is hardly there
        # the steepest steps from pixel to pixel are 51 levels and more: a third of a pixel's way
        assert difference.max(axis=2)[opaque].max() <= 51 // 3


def tiff(*notes, compression=1):
    """A TIFF of 8 x 8 grey pixels, and a megabyte that each of the notes is said to consist of."""
    filler = bytes(2**20)
    entries = [
        (256, 4, 1, 8),
        (257, 4, 1, 8),
        (258, 3, 1, 8),
        (259, 3, 1, compression),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
        (277, 3, 1, 1),
        (278, 4, 1, 8),
        (279, 4, 1, 64),
    ]
    entries += [(note, 1, len(filler), 8) for note in notes]
    directory = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    start = struct.pack("<2sHI", b"II", 42, 8 + len(filler))
    return start + filler + struct.pack("<H", len(entries)) + directory + bytes(4)


def test_a_tiff_that_points_to_the_same_megabyte_over_and_over_takes_it_once(recwarn):
    overlapping = tiff(*range(40_000, 41_000))
    tracemalloc.start()
    try:
        from_picture(overlapping)
        assert tracemalloc.get_traced_memory()[1] < 30 * 2**20  # of 1,000
    finally:
        tracemalloc.stop()  # it slows down all tests after this one
    assert not recwarn.list  # Pillow has some


def gif(screen, frame):
    """A GIF whose screen and first frame are of these sizes."""
    head = b"GIF89a" + struct.pack("<2H3B", *screen, 0x80, 0, 0) + bytes(6)
    return head + b"," + struct.pack("<4HB", 0, 0, *frame, 0) + b"\x02\x02\x44\x01\x00;"


@pytest.mark.parametrize(
    "data", [gif((10, 10), (60_000, 60_000)), gif((60_000, 60_000), (1, 1))], ids=len
)
def test_a_gif_with_a_huge_frame_is_refused(data):
    with pytest.raises(PictureError, match="pixels"):
        from_picture(data)


def test_a_webp_may_have_fewer_pixels_as_its_decoder_copies_them():
    file = io.BytesIO()
    Image.new("L", (4001, 4000)).save(file, "WEBP", method=0)
    with pytest.raises(PictureError, match="more than 16 million"):
        from_picture(file.getvalue())


def test_of_many_pages_only_the_first_is_decoded(monkeypatch):
    pages = [Image.new("L", (300, 300), shade) for shade in range(50)]
    pages[0].putpixel((150, 150), 255)
    file, loads = io.BytesIO(), []
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:])
    load = TiffImageFile.load
    monkeypatch.setattr(TiffImageFile, "load", lambda self: loads.append(self.tell()) or load(self))
    assert from_picture(file.getvalue()).nonzero() == (150, 150)
    assert set(loads) == {0}


def test_complaints_of_libtiff_do_not_reach_the_terminal(capfd):
    damaged = tiff(compression=5)  # LZW, which 64 zeros are not
    with pytest.raises(PictureError, match="damaged"):
        from_picture(damaged)
    os.write(2, b"still there")
    assert capfd.readouterr().err == "still there"


def test_pictures_are_read_where_there_is_no_stderr():
    code = (
        "import os, sys; from course.recognizer import pictures; os.close(2);"
        "assert pictures.from_picture(sys.stdin.buffer.read()).shape == (8, 8)"
    )
    done = subprocess.run([sys.executable, "-c", code], input=tiff())
    assert done.returncode == 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(PictureError, match=r"pipe.png cannot be opened: it is a pipe or a device"):
        from_picture(tmp_path / "pipe.png")
