"""Convert a model between the course's checkpoints and the binary files of the Rust programs."""

from course import commands, interchange


def add_arguments(parser):
    parser.add_argument("source", metavar="IN", help="a .safetensors file or a binary model")
    parser.add_argument("target", metavar="OUT", help="the same; the name's ending decides")
    parser.add_argument(
        "--kind", choices=("mlp", "cnn", "attention"), help="of a binary file that fits several"
    )
    parser.add_argument("--dtype", choices=("float32", "float64"), help="of a binary file to write")
    parser.add_argument("--d-model", type=commands.positive_int, metavar="N")
    parser.add_argument("--d-ff", type=commands.positive_int, metavar="N")


def run(arguments):
    commands.check_files([("what it becomes", arguments.target)], [("the model", arguments.source)])
    done = interchange.convert(
        arguments.source,
        arguments.target,
        arguments.kind,
        arguments.dtype,
        arguments.d_model,
        arguments.d_ff,
    )
    print(done)
