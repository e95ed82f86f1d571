"""Tracks and what the Python package motmetrics says of them, as one JSON object on standard output.

    make_tracks.py random SEED           several sequences of made-up tracks
    make_tracks.py file GT SEED          true tracks of a MOTChallenge file, found ones made from them
    make_tracks.py compare TRUTH FOUND   measures of the files TRUTH/*/gt/gt.txt and FOUND/*.txt

The stored fixture is the output of `make_tracks.py random 1` with motmetrics 1.4.0. A box is [id, y, x, height, width];
`measures` has one entry a sequence, and `overall` is the row OVERALL of compute_many.
"""
import json
import math
import pathlib
import random
import sys

import numpy

if not hasattr(numpy, "asfarray"):  # motmetrics 1.4.0 asks for it, and NumPy 2 has it no more.
    numpy.asfarray = lambda values: numpy.asarray(values, dtype=float)

import motmetrics

METRICS = {
    "num_frames": "frames", "num_objects": "objects", "num_predictions": "predictions", "num_matches": "matches",
    "num_switches": "switches", "num_misses": "misses", "num_false_positives": "falsePositives",
    "num_unique_objects": "tracks", "mostly_tracked": "mostlyTracked", "partially_tracked": "partiallyTracked",
    "mostly_lost": "mostlyLost", "num_fragmentations": "fragmentations", "idtp": "identityTruePositives",
    "mota": "mota", "motp": "motp", "precision": "precision", "recall": "recall", "idp": "idp", "idr": "idr",
    "idf1": "idf1",
}


def rounded(box):
    """A box as it will stand in the file, so that both sides reckon with the same numbers."""
    return [box[0]] + [round(value, 3) for value in box[1:]]


def disturb(frames, rng):
    """What a bad tracker might find: boxes moved, missed, exchanged, taken for new ones, and made up."""
    names, next_name, swaps, found = {}, 1000, {}, []
    phantoms = []
    for frame in frames:
        boxes = []
        for box in frame:
            identity = box[0]
            if identity not in names or rng.random() < 0.06:
                names[identity] = next_name = next_name + 1
            if rng.random() < 0.12:
                continue
            height, width = box[3], box[4]
            noise = rng.choice([0.02, 0.08, 0.2])
            boxes.append(rounded([
                names[swaps.get(identity, identity)] if swaps.get(identity, identity) in names else names[identity],
                box[1] + rng.gauss(0, noise * height), box[2] + rng.gauss(0, noise * width),
                height * math.exp(rng.gauss(0, noise)), width * math.exp(rng.gauss(0, noise))]))
        if len(frame) > 1 and rng.random() < 0.15:  # From here on two objects have each other's names.
            one, other = rng.sample([box[0] for box in frame], 2)
            swaps[one], swaps[other] = swaps.get(other, other), swaps.get(one, one)
        if frame and rng.random() < 0.1:  # A phantom that stays a while near an object.
            next_name += 1
            phantoms.append([next_name, rng.randrange(2, 6), rng.choice(frame)])
        for phantom in phantoms:
            name, left, (_, y, x, height, width) = phantom
            if left > 0:
                boxes.append(rounded([
                    name, y + rng.gauss(0, 0.4 * height), x + rng.gauss(0, 0.4 * width), height, width]))
                phantom[1] -= 1
        seen, kept = set(), []
        for box in boxes:
            if box[0] not in seen:
                kept.append(box)
                seen.add(box[0])
        rng.shuffle(kept)
        found.append(kept)
    return found


def made_up(rng, frames, objects):
    """Objects on straight lines, each for a part of the sequence, now and then away for some frames."""
    truth = [[] for _ in range(frames)]
    for identity in range(objects):
        start = rng.randrange((frames + 1) // 2)
        end = rng.randrange(start, frames) + 1
        y, x = rng.uniform(0, 40), rng.uniform(0, 40)
        dy, dx = rng.uniform(-3, 3), rng.uniform(-3, 3)
        height, width = rng.uniform(8, 20), rng.uniform(8, 20)
        for t in range(start, end):
            if rng.random() > 0.05:
                truth[t].append(rounded([identity, y + dy * (t - start), x + dx * (t - start), height, width]))
    for frame in truth:
        rng.shuffle(frame)
    return truth


def accumulate(truth, found):
    accumulator = motmetrics.MOTAccumulator(auto_id=True)
    for objects, hypotheses in zip(truth, found):
        def corners(boxes):
            return numpy.array([[b[2], b[1], b[4], b[3]] for b in boxes], dtype=float).reshape(-1, 4)
        distances = motmetrics.distances.iou_matrix(corners(objects), corners(hypotheses), max_iou=0.5)
        accumulator.update([b[0] for b in objects], [b[0] for b in hypotheses], distances)
    return accumulator


def measures(accumulators):
    host = motmetrics.metrics.create()
    table = host.compute_many(
        accumulators, metrics=list(METRICS), names=[str(i) for i in range(len(accumulators))], generate_overall=True)
    rows = []
    for _, row in table.iterrows():
        values = {METRICS[name]: float(row[name]) for name in METRICS}
        rows.append({name: value if math.isfinite(value) else None for name, value in values.items()})
    return {"measures": rows[:-1], "overall": rows[-1]}


def report(sequences):
    result = {"version": motmetrics.__version__}
    result["sequences"] = [
        [{"truth": t, "found": f} for t, f in zip(truth, found)] for truth, found in sequences]
    result.update(measures([accumulate(truth, found) for truth, found in sequences]))
    return result


def read(path):
    """Frames of a MOTChallenge file, counted from 0."""
    lines = [line.split(",") for line in pathlib.Path(path).read_text().split("\n") if line.strip()]
    frames = {}
    for frame, identity, left, top, width, height, *_ in lines:
        frames.setdefault(int(frame) - 1, []).append(
            [int(identity), float(top), float(left), float(height), float(width)])
    return frames


def main():
    command, rest = sys.argv[1], sys.argv[2:]
    if command == "random":
        rng = random.Random(int(rest[0]))
        sequences = []
        for objects in [1, 2, 3, 5, 8, 12]:
            truth = made_up(rng, rng.randrange(8, 31), objects)
            sequences.append((truth, disturb(truth, rng)))
        truth = made_up(rng, 6, 3)
        nothing = [[] for _ in truth]
        sequences += [(truth, nothing), (nothing, truth), (nothing, nothing)]
        result = report(sequences)
        # A sequence in which nothing is found has no MOTP, and in motmetrics 1.4.0 then neither has the whole.
        sequences = [s for s, m in zip(sequences, result["measures"]) if m["motp"] is not None]
        result["overall"]["motp"] = measures([accumulate(*s) for s in sequences])["overall"]["motp"]
    elif command == "file":
        frames = read(rest[0])
        truth = [[rounded(box) for box in frames.get(t, [])] for t in range(max(frames) + 1)]
        result = report([(truth, disturb(truth, random.Random(int(rest[1]))))])
    elif command == "compare":
        accumulators = []
        for path in sorted(pathlib.Path(rest[0]).glob("*/gt/gt.txt")):
            truth, found = read(path), read(pathlib.Path(rest[1]) / (path.parent.parent.name + ".txt"))
            lines = (path.parent.parent / "seqinfo.ini").read_text().split("\n")
            length = int(next(line for line in lines if line.startswith("seqLength")).split("=")[1])
            accumulators.append(accumulate(
                [truth.get(t, []) for t in range(length)], [found.get(t, []) for t in range(length)]))
        result = measures(accumulators)
    else:
        sys.exit(__doc__)
    print(json.dumps(result, separators=(",", ":")))


main()
