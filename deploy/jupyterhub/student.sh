#!/bin/sh
# Starts the server of one student, as that student: sets the limits, which the server and its
# kernels inherit and cannot raise again, and lays the lessons and what they link to.
#
#     student.sh PYTHON [ARGUMENT ...]      the environment's Python, what jupyterhub-singleuser gets
#
# $MEM_LIMIT is the Spawner's mem_limit, in bytes.
set -eu
python=$1
shift
course=$(cd "$(dirname "$0")/../.." && pwd)

if [ -n "${MEM_LIMIT:-}" ]; then
    ulimit -d $((MEM_LIMIT / 1024)) # of data: private memory, by whatever call it is asked for
fi

cd "$HOME"
export COURSE_LESSONS_DIR="$HOME/lessons" COURSE_PROGRESS_DIR="$HOME/progress"
export COURSE_MODELS_DIR="$HOME/models" COURSE_OWN_LOGS_DIR="$HOME/logs"
export COURSE_DRAWINGS_DIR="$HOME/drawings"
# What a notebook starts with "!" and the kernel that runs it are those of this environment.
PATH=$(dirname "$python"):$PATH
export PATH JUPYTER_PREFER_ENV_PATH=1
export JUPYTER_CONFIG_PATH="$course/.jupyter"

# Links in the lessons lead to ../course and ../docs.
for name in course docs; do
    [ -e "$name" ] || ln -s "$course/$name" "$name" || true
done
# Without them a student can still use what was laid another time.
"$python" -m course lessons || echo "The lessons could not be laid or renewed." >&2

exec nice -n 5 "$(dirname "$python")/jupyterhub-singleuser" "$@"
