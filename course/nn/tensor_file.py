"""Named arrays and texts in one file, in the format safetensors: by its library, if it is there.

Unlike a pickle such a file can hold no code, so that opening a stranger's is safe.
"""

import contextlib
import json

from course.nn.files import open_regular
from course.nn.tensor_file_by_hand import NumberTypeError, TensorFileError, head

try:
    import safetensors.numpy
except ImportError:  # as in a browser
    from course.nn.tensor_file_by_hand import opened, serialize
else:

    def serialize(arrays, metadata=None):
        """The content of a file of `arrays` (name to array) and the texts `metadata`, as bytes.

        Equal arrays and metadata give equal bytes: the library alone writes the metadata in an
        order that changes from call to call.
        """
        content = safetensors.numpy.save(arrays)
        end = 8 + int.from_bytes(content[:8], "little")
        return head(json.loads(content[8:end]), metadata) + content[end:]

    @contextlib.contextmanager
    def opened(path):
        """Open a file: gives its metadata, a dict of texts, and a function that reads its arrays.

        That takes nothing and returns a dict of the arrays by name. Raises TensorFileError for a
        file that is damaged, NumberTypeError for numbers that NumPy has not, and OSError.
        """
        open_regular(path).close()  # the library takes every file that it may not open for missing
        try:
            with safetensors.safe_open(path, framework="numpy") as file:
                yield file.metadata() or {}, lambda: _read(file)
        except safetensors.SafetensorError:
            raise TensorFileError from None

    def _read(file):
        try:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (AttributeError, TypeError):
            raise NumberTypeError from None
        except ValueError:  # a shape that no array can have
            raise TensorFileError from None
