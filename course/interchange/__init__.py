"""Files of the Rust programs that this course re-creates, and PyTorch's: read and written."""

from course.interchange.attention_text import read_attention, write_attention
from course.interchange.binary import InterchangeError, read_model, write_model
from course.interchange.conversion import convert, to_model
from course.interchange.torch_names import read_torch, to_torch, write_torch

__all__ = [
    "InterchangeError",
    "convert",
    "read_attention",
    "read_model",
    "read_torch",
    "to_model",
    "to_torch",
    "write_attention",
    "write_model",
    "write_torch",
]
