"""Files of the Rust programs that this course re-creates: read, written and converted."""

from course.interchange.attention_text import read_attention, write_attention
from course.interchange.binary import InterchangeError, read_model, write_model
from course.interchange.conversion import convert, to_model

__all__ = [
    "InterchangeError",
    "convert",
    "read_attention",
    "read_model",
    "to_model",
    "write_attention",
    "write_model",
]
