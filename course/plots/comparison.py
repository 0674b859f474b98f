"""Models and runs side by side: what each one reaches, and what it costs."""

import numpy as np
from matplotlib.ticker import LogLocator

from course.plots.style import (
    GRAY,
    SERIES,
    axes_or_new,
    describe,
    looks_of,
    plain,
    styled,
    subplots,
)
from course.plots.training import as_logs, cumulative_times, losses, run_looks, show_percent, times
from course.plots.words import course_of, extent_of, sentence


@styled
def training_comparison(runs):
    """Four panels over any number of runs: loss, time per epoch, time in all, and a summary.

    runs: as for `losses`. Returns the Figure.
    """
    logs = as_logs(runs)
    figure, axes = subplots(2, 2, figsize=(11, 7.5))
    figure.get_layout_engine().set(wspace=0.05, hspace=0.07)
    losses(logs, ax=axes[0, 0])
    times(logs, ax=axes[0, 1])
    cumulative_times(logs, ax=axes[1, 0])
    for ax in (axes[0, 1], axes[1, 0]):  # one legend will do
        if ax.get_legend():
            ax.get_legend().remove()
    summary_box(logs, ax=axes[1, 1])
    return figure


SUMMARY_COLUMNS = ("run", "epochs", "train loss", "best acc.", "s/epoch", "s in all")


def summary(log) -> tuple[str, ...]:
    """A run in the short texts of `SUMMARY_COLUMNS`, "-" for what was not measured."""

    def text(values, pick, form):
        values = values[np.isfinite(values)]
        return form.format(pick(values)) if len(values) else "-"

    return (
        plain(log.name),
        text(log.epoch, np.max, "{:,}"),
        text(log.train_loss, lambda losses: losses[-1], "{:.3g}"),
        text(log.val_accuracy, np.max, "{:.2%}"),
        text(log.seconds_per_epoch, np.median, "{:.3g}"),
        text(log.train_time, np.sum, "{:.3g}"),
    )


@styled
def summary_box(runs, ax=None, title="Summary"):
    """The runs in numbers: epochs, last training loss, best validation accuracy, seconds of the
    median epoch and of all epochs. Returns the Figure."""
    logs = as_logs(runs)
    ax = axes_or_new(ax, figsize=(6.4, 1.0 + 0.31 * len(logs)))
    ax.axis("off")
    ax.set_title(title)
    if logs:
        table = ax.table(
            [summary(log) for log in logs],
            colLabels=SUMMARY_COLUMNS,
            loc="upper center",
            edges="horizontal",
            colWidths=[0.25, 0.13, 0.17, 0.16, 0.14, 0.14],
        )
        table.auto_set_font_size(False)
        table.set_fontsize(9)
        table.scale(1, 1.6)
        for cell in table.get_celld().values():
            cell.set_edgecolor(GRAY)
        for row, look in enumerate(run_looks(logs), start=1):
            table[row, 0].get_text().set(color=look["color"], weight="bold", ha="left")
    describe(ax, sentence(title, map(row_in_words, logs)))
    return ax.figure


def row_in_words(log):
    """A row of the summary as text: only what was measured, each with its name."""
    columns = zip(SUMMARY_COLUMNS[1:], summary(log)[1:], strict=True)
    return ", ".join([log.name, *(f"{column} {n}" for column, n in columns if n != "-")])


@styled
def accuracy_against_seconds(runs, ax=None, title="Accuracy against training time"):
    """Validation accuracy over the seconds that training has taken; returns the Figure."""
    ax, logs = axes_or_new(ax), as_logs(runs)
    said = []
    for log, look in zip(logs, run_looks(logs), strict=True):
        measured = np.isfinite(log.val_accuracy)
        seconds, accuracy = log.seconds[measured], log.val_accuracy[measured]
        ax.plot(seconds, accuracy, label=plain(log.name), **look)
        if measured.any():
            said.append(f"{log.name} reaches {accuracy[-1]:.2%} after {seconds[-1]:.3g} seconds")
    describe(ax, sentence(title, said))
    ax.set(xlabel="seconds of training", ylabel="validation accuracy", title=title)
    ax.set_xlim(left=0)
    show_percent(ax.yaxis)
    if len(logs) > 1:
        ax.legend()
    return ax.figure


@styled
def accuracy_against_parameters(accuracy, parameters, ax=None, title="Accuracy against size"):
    """Where each model stands: its accuracy over its number of parameters; returns the Figure.

    accuracy: dict from model name to a fraction of 1, or to several, one a seed (drawn as their
    mean with a bar from the least to the greatest). parameters: dict from model name to count.
    """
    ax = axes_or_new(ax)
    said = []
    for (name, values), look in zip(accuracy.items(), looks_of(accuracy), strict=True):
        values = np.atleast_1d(values)
        mean = values.mean()
        reach = [[mean - values.min()], [values.max() - mean]]
        ax.errorbar(parameters[name], mean, yerr=reach, markersize=8, capsize=4, **look)
        said.append(f"{name} {mean:.2%} with {parameters[name]:,} parameters")
        text = f"{name}\n{parameters[name]:,}"
        ax.annotate(text, (parameters[name], mean), (9, 0), textcoords="offset points", va="center")
    ax.set(xscale="log", xlabel="parameters", ylabel="test accuracy", title=title)
    ax.margins(x=0.3, y=0.25)
    show_percent(ax.yaxis)
    describe(ax, sentence(title, said))
    return ax.figure


@styled
def accuracy_against_learning_rate(rates, accuracies, ax=None, title="Each has a rate of its own"):
    """What each optimizer reaches at each learning rate; returns the Figure.

    rates: (n,) learning rates. accuracies: dict from a name to (n,) fractions of 1.
    """
    ax = axes_or_new(ax)
    said = []
    for (name, values), look in zip(accuracies.items(), looks_of(accuracies), strict=True):
        ax.plot(rates, values, label=name, **look)
        best = int(np.argmax(values))
        said.append(f"{name} is best at {rates[best]:g}, with {values[best]:.2%}")
    ax.set(xscale="log", xlabel="learning rate", ylabel="test accuracy", title=title)
    show_percent(ax.yaxis)
    describe(ax, sentence(title, said))
    ax.legend()
    return ax.figure


@styled
def accuracy_against_digits(curves, ax=None, title="What more digits bring"):
    """What each model reaches that has learned from so many digits; returns the Figure.

    curves: dict from a name to (n,) numbers of digits, (n,) mean accuracies, fractions of 1, and
    (n,) their standard errors, which are drawn as bars.
    """
    ax = axes_or_new(ax)
    said = []
    for (name, (digits, means, errors)), look in zip(curves.items(), looks_of(curves), strict=True):
        ax.errorbar(digits, means, yerr=errors, label=name, capsize=4, **look)
        went = course_of(100 * np.asarray(means), "{:.1f}%")
        said.append(f"{name} {went} with {digits[0]:,} to {digits[-1]:,} digits")
    ax.set(xscale="log", xlabel="digits to learn from", ylabel="test accuracy", title=title)
    ticks = sorted({n for digits, _, _ in curves.values() for n in digits})
    ax.set_xticks(ticks, [f"{n:,}" for n in ticks])
    ax.minorticks_off()
    show_percent(ax.yaxis)
    describe(ax, sentence(title, said))
    ax.legend()
    return ax.figure


@styled
def activations(z, curves):
    """Activations beside their slopes; returns the Figure.

    z: (n,). curves: dict from a name to the activation's (n,) answers to z and its (n,) slopes.
    """
    figure, (left, right) = subplots(1, 2, figsize=(10, 3.8))
    said = []
    for (name, (answers, slopes)), look in zip(curves.items(), looks_of(curves), strict=True):
        look["linestyle"] = "-" if len(said) < len(SERIES) else "--"  # the looks begin anew
        every = (5 * len(said), len(z) // 4)  # the markers of one lie between those of the others
        left.plot(z, answers, label=name, markevery=every, **look)
        right.plot(z, slopes, markevery=every, **look)
        said.append(f"{name} {extent_of(answers)}, its slope {extent_of(slopes)}")
    left.set(xlabel="z", title="Activation", ylim=(-1.5, 3))
    right.set(xlabel="z", title="Its slope")
    left.legend()
    describe(figure, sentence(f"Activations for z {extent_of(z)}", said))
    return figure


@styled
def seed_spread(results, ax=None, quantity="test accuracy", title="One dot, one seed"):
    """How a result spreads over seeds: each run a dot, their mean a line; returns the Figure.

    results: dict from a name to the results of its runs, fractions of 1. Written beside the dots
    are the mean and the sample standard deviation.
    """
    ax = axes_or_new(ax, figsize=(6.4, 0.9 + 0.7 * len(results)))
    said = []
    for row, (look, values) in enumerate(zip(looks_of(results), results.values(), strict=True)):
        values = np.asarray(values, dtype=float)
        dots = {"linestyle": "", "alpha": 0.6, "markersize": 7}
        ax.plot(values, np.full(len(values), row), **look, **dots)
        ax.plot([values.mean()] * 2, [row - 0.22, row + 0.22], color=look["color"])
        text = f"{values.mean():.2%}"
        if len(values) > 1:
            text += f" ± {values.std(ddof=1):.2%}"
        ax.annotate(text, (values.mean(), row - 0.25), ha="center", va="bottom", fontsize=9)
        said.append(f"{list(results)[row]} {text}, {extent_of(values, '{:.2%}')}")
    ax.set_yticks(range(len(results)), list(results))
    ax.set_ylim(len(results) - 0.6, -0.75)
    ax.set(xlabel=quantity, title=title)
    describe(ax, sentence(f"{title}, {quantity}", said))
    ax.margins(x=0.15)
    ax.grid(visible=False, axis="y")
    show_percent(ax.xaxis)
    return ax.figure


@styled
def cost_growth(curves, ax=None, title="What an epoch costs"):
    """Seconds an epoch over a size, both axes logarithmic; returns the Figure.

    curves: as `course.benchmark.cost.measure` returns them, all of one axis. The legend has each
    one's slope p, seconds ~ size^p. Steps off the trend end in a ring.
    """
    ax = axes_or_new(ax)
    said, looks = [], looks_of([curve["model"] for curve in curves])
    for curve, look in zip(curves, looks, strict=True):
        label = curve["model"]
        if curve["slope"] is not None:
            label += f", slope {curve['slope']:.2f}"
        values, seconds = np.array(curve["values"]), np.array(curve["seconds"])
        ax.plot(values, seconds, label=label, **look)
        reach = f"{values[0]:g} to {values[-1]:g} {curve['axis']}"
        said.append(f"{label}, {seconds[0]:.3g} to {seconds[-1]:.3g} seconds for {reach}")
        off = np.array([step is not None for step in curve["off_trend"]])
        ring = {"color": look["color"], "markersize": 11, "fillstyle": "none"}
        ax.plot(values[off], seconds[off], "o", **ring)
    ax.set(xscale="log", yscale="log", xlabel=curves[0]["axis"], ylabel="seconds an epoch")
    ax.set_xticks(curves[0]["values"], map(str, curves[0]["values"]))
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.minorticks_off()
    ax.set_title(title)
    describe(ax, sentence(title, said))
    ax.legend()
    return ax.figure
