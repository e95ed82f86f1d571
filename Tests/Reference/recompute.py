#!/usr/bin/env python3
"""Recomputes the reference numbers of a golden file from its inputs, with sqair_reference.py, and compares.

usage: recompute.py GOLDEN.h5

Inputs are parameters, images and noise of the file; compared are inference, gradients, optimizer updates and
generation. Everything runs in double precision. Ends with 0 if all agree, else with 1.
Needs jax, numpy and h5py.
"""
import dataclasses
import sys

import jax

jax.config.update("jax_enable_x64", True)

import h5py
import jax.numpy as jnp
import numpy as np

import sqair_reference as model


def read(group):
    """A group as a flat dictionary of double-precision arrays."""
    values = {}
    group.visititems(
        lambda name, item: values.update({name: jnp.asarray(np.asarray(item[()], np.float64))})
        if isinstance(item, h5py.Dataset) else None
    )
    return values


def configuration(attributes):
    fields = {}
    for field in dataclasses.fields(model.Config):
        name = "config." + field.name
        if name not in attributes:
            continue
        value = attributes[name]
        if field.name in ("img", "glimpse"):
            value = tuple(int(x) for x in value)
        elif isinstance(value, np.generic):
            value = value.item()
        fields[field.name] = value
    return model.Config(**fields)


def main(path):
    file = h5py.File(path)
    config = configuration(file.attrs)
    parameters = read(file["params"])
    images = jnp.asarray(np.asarray(file["images"][()], np.float64))
    noise = read(file["noise"])
    generation_noise = read(file["gen_noise"])
    single = file["params/enc.img.l0.w"].dtype == np.float32
    # A file in single precision has rounded inputs and outputs.
    tolerance = 2e-4 if single else 1e-9
    failures = compared = 0
    worst = 0.0

    def compare(group, results):
        nonlocal failures, compared, worst
        for name, expected in read(file[group]).items():
            ours = np.asarray(results[name], np.float64).reshape(expected.shape)
            scale = max(1.0, float(np.max(np.abs(expected), initial=0)))
            apart = float(np.max(np.abs(ours - np.asarray(expected)), initial=0)) / scale
            worst = max(worst, apart)
            compared += 1
            if not apart <= tolerance:
                failures += 1
                print(f"{group}/{name}: {apart:.3g} apart")

    compare("out", model.forward(parameters, config, images, noise))
    _, gradients, _ = model.loss_and_grad(parameters, config, images, noise)
    compare("grads", gradients)

    textbook = dataclasses.replace(config, vimco="proper")
    target, proper_gradients, _ = model.loss_and_grad(parameters, textbook, images, noise)
    compare("proper_vimco", {"target": target, **{"grads/" + k: v for k, v in proper_gradients.items()}})

    def bound(p):
        return model.forward(p, config, images, noise, full=False)["elbo_iwae"]

    compare("grads_elbo_iwae", jax.grad(bound)(parameters))

    for rule in ("rmsprop", "adam"):
        updated, state = parameters, model.opt_init(rule, parameters)
        for _ in range(2):
            updated, state, _ = model.opt_update(rule, updated, gradients, state, jnp.asarray(1e-3))
        compare(f"opt/{rule}_2steps_lr1e-3", updated)

    observed = int(file.attrs["gen.n_cond"])
    compare(
        "gen_conditional",
        model.generate_conditional(parameters, config, images, noise, generation_noise, observed))
    compare("gen_unconditional", model.sample_prior(parameters, config, generation_noise))

    print(f"{path}: {compared} arrays compared, largest relative difference {worst:.3g}, {failures} disagree "
          f"(jax {jax.__version__}, numpy {np.__version__})")
    return 1 if failures else 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] in ("-h", "--help"):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
