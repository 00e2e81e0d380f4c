"""What the tests of the Python package share."""

from __future__ import annotations

import numpy as np
import pytest

import shoal


def random_actions(env: shoal.Env, rng: np.random.Generator):
    """Legal actions of every instance, as step() takes them."""
    actions = {}
    for group in env.spec.groups:
        shape = (env.num_envs, group.agents)
        if group.continuous:
            heads = [rng.uniform(h.low, h.high, shape).astype(np.float32) for h in group.continuous]
        else:
            masks = env.outputs.masks
            masks = masks[group.name] if isinstance(masks, dict) else masks
            ends = np.cumsum([h.choices for h in group.discrete])[:-1]
            parts = np.split(masks, ends, axis=-1)
            heads = [(rng.random(legal.shape) * legal).argmax(-1).astype(np.int32) for legal in parts]
        actions[group.name] = np.stack(heads, axis=-1)
    return actions if len(actions) > 1 else next(iter(actions.values()))


@pytest.fixture(params=shoal.list())
def name(request) -> str:
    """Every environment."""
    return request.param


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
