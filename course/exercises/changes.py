"""What an attempt to mend a patient has changed: functions of (treatment, sick treatment).

They say what an attempt did that has not helped. Most ask whether it is still ill, or else as it
was: what is said of an illness is not true of a network that fails for another reason.
"""

import numpy as np


def has_same_data(now, before):
    return np.array_equal(now.x, before.x) and np.array_equal(now.labels, before.labels)


def has_same_start(now, before):
    """Whether digits, labels, layers and first weights are as they were, the recipe aside."""
    first = now.first_weights
    return (
        has_same_data(now, before)
        and now.kinds == before.kinds
        and first.keys() == before.first_weights.keys()
        and all(np.array_equal(first[name], w) for name, w in before.first_weights.items())
    )


def is_longer(now, before):
    longer = now.recipe.epochs > before.recipe.epochs
    return longer and (now.is_ill or has_same_start(now, before))


def is_shorter(now, before):
    return now.recipe.epochs < before.recipe.epochs


def has_another_rate(now, before):
    return now.is_ill and now.recipe.learning_rate != before.recipe.learning_rate


def has_a_larger_rate(now, before):
    return now.is_ill and now.recipe.learning_rate > before.recipe.learning_rate


def has_a_rate_within(low, high):
    return lambda now, before: low <= now.recipe.learning_rate <= high


def has_another_optimizer(now, before):
    return now.is_ill and now.recipe.optimizer != before.recipe.optimizer


def has_another_recipe(now, before):
    return now.is_ill and now.recipe != before.recipe


def has_another_split(now, before):
    return now.recipe.validation_split != before.recipe.validation_split


def has_patience(now, before):
    return now.is_ill and now.recipe.patience is not None


def has_weight_decay(now, before):
    return now.recipe.weight_decay > before.recipe.weight_decay


def is_larger(now, before):
    same = now.recipe == before.recipe and has_same_data(now, before)
    return now.size > before.size and (now.is_ill or same)


def is_smaller(now, before):
    return now.is_ill and now.size < before.size


def has_fewer_sigmoids(now, before):
    return 0 < now.kinds.count("Sigmoid") < before.kinds.count("Sigmoid")


def has_other_layers(now, before):
    return now.kinds != before.kinds


def is_still_ill(now, before):
    return now.is_ill


def has_other_first(name):
    """Whether a parameter began with other values."""

    def fits(now, before):
        first = now.first_weights.get(name)
        return (
            now.is_ill
            and first is not None
            and not np.array_equal(first, before.first_weights[name])
        )

    return fits


def has_inputs_up_to(low, high):
    """Whether the largest input is between these."""
    return lambda now, before: low <= abs(now.x).max() <= high


def has_fewer_samples(now, before):
    return now.is_ill and len(now.x) < len(before.x)


def has_another_order(now, before):
    return now.is_ill and not has_same_data(now, before)
