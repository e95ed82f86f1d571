"""Detections and the tracks that a Kalman filter and scipy's assignment link them to, as one JSON object.

The stored fixture is the output of `make_motion.py 1` with NumPy 2 and SciPy 1.17. A box is [y, x, height, width], a
tracked one [id, y, x, height, width]; each case has its settings and, frame by frame, `detections` and `tracks`.
"""
import json
import random
import sys

import numpy as np
from scipy.optimize import linear_sum_assignment


def overlap(a, b):
    down = max(0, min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0]))
    across = max(0, min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1]))
    both = down * across
    return both / (a[2] * a[3] + b[2] * b[3] - both) if both else 0.0


class Track:
    """A filter over (y, x) and their velocities, with full matrices."""

    STEP = np.array([[1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 1]], float)
    SEEN = np.eye(2, 4)

    def __init__(self, box, number):
        self.id, self.missed, self.size = number, 0, np.array(box[2:])
        self.state = np.array([box[0] + box[2] / 2, box[1] + box[3] / 2, 0, 0])
        self.covariance = np.diag([4.0, 4.0, 25.0, 25.0])
        self.update(box)

    def predict(self, q):
        self.state = self.STEP @ self.state
        self.covariance = self.STEP @ self.covariance @ self.STEP.T + np.diag([0.5, 0.5, q, q])

    def update(self, box):
        seen = np.array([box[0] + box[2] / 2, box[1] + box[3] / 2])
        gain = self.covariance @ self.SEEN.T @ np.linalg.inv(self.SEEN @ self.covariance @ self.SEEN.T + np.eye(2))
        self.state = self.state + gain @ (seen - self.SEEN @ self.state)
        self.covariance = (np.eye(4) - gain @ self.SEEN) @ self.covariance
        self.size = 0.5 * self.size + 0.5 * np.array(box[2:])
        self.box, self.missed = box, 0

    def predicted(self):
        return [self.state[0] - self.size[0] / 2, self.state[1] - self.size[1] / 2, *self.size]


def link(frames, reach, longest_gap, coasting, acceleration):
    tracks, result, count = [], [], 0
    for boxes in frames:
        for track in tracks:
            track.predict(acceleration)
        used, matched = set(), set()
        if tracks and boxes:
            cost = np.zeros((len(tracks), len(boxes)))
            for i, track in enumerate(tracks):
                a = track.predicted()
                for j, b in enumerate(boxes):
                    distance = np.hypot(a[0] + a[2] / 2 - b[0] - b[2] / 2, a[1] + a[3] / 2 - b[1] - b[3] / 2)
                    cost[i, j] = 1e6 if distance > reach else distance - 5 * overlap(a, b)
            for i, j in zip(*linear_sum_assignment(cost)):
                if cost[i, j] < 1e5:
                    tracks[i].update(boxes[j])
                    matched.add(i)
                    used.add(j)
        for i, track in enumerate(tracks):
            track.missed += i not in matched
        tracks = [track for track in tracks if track.missed <= longest_gap]
        for j, box in enumerate(boxes):
            if j not in used:
                tracks.append(Track(box, count))
                count += 1
        result.append([[t.id] + [float(v) for v in (t.predicted() if t.missed else t.box)]
                       for t in tracks if t.missed <= coasting])
    return result


def detections(rng, frames):
    """Objects that cross each other, vanish for some frames, and jitter; and boxes that are nothing."""
    objects = [[rng.uniform(0, 60), rng.uniform(0, 60), rng.gauss(0, 1.5), rng.gauss(0, 2.5)] for _ in range(5)]
    result = []
    for _ in range(frames):
        boxes = []
        for thing in objects:
            thing[0] += thing[2] + rng.gauss(0, 0.3)
            thing[1] += thing[3] + rng.gauss(0, 0.3)
            if rng.random() < 0.2:
                continue
            boxes.append([round(value, 3) for value in (
                thing[0] + rng.gauss(0, 0.7), thing[1] + rng.gauss(0, 0.7), 24 + rng.gauss(0, 2), 10 + rng.gauss(0, 1))])
        if rng.random() < 0.2:
            boxes.append([round(rng.uniform(0, 60), 3), round(rng.uniform(0, 60), 3), 12.0, 8.0])
        result.append(boxes)
    return result


rng = random.Random(int(sys.argv[1]))
cases = []
for settings in [(14, 3, 0, 1.0), (14, 3, 2, 1.0), (8, 6, 3, 0.3)]:
    frames = detections(rng, 25)
    names = ("reach", "longestGap", "coasting", "accelerationVariance")
    cases.append(dict(zip(names, settings)) | {"detections": frames, "tracks": link(frames, *settings)})
print(json.dumps({"cases": cases}))
