"""A world for each file of torture tests, and the points of a scenario, each tried in a trial of its own."""
import unittest

import tally
from scenarios import World
from tracing import chosen


class WorldTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.close)
        cls.trace = cls.world.path / "trace"


class Sweep(WorldTest):
    """A point is a tuple: what points() gives and attempt() takes."""
    counts, fewest = "points", 1

    def points(self, scenario):
        raise NotImplementedError

    def attempt(self, scenario, *point):
        raise NotImplementedError

    def sweep(self, name, kind, more, among=lambda *point: True):
        """In a sample one point of each kind and some more; all of them else."""
        scenario = self.world.scenarios[name]
        self.assertNotEqual(scenario.before, scenario.expected)
        found = [point for point in self.points(scenario) if among(*point)]
        points = chosen(found, lambda point: kind(*point), more, name)
        self.assertGreaterEqual(len(points), self.fewest)
        lost = 0
        for point in points:
            with self.subTest(scenario=name, at=" ".join(map(str, point))):
                lost += 1
                self.attempt(scenario, *point)
                lost -= 1
        tally.count(self.counts, len(points), lost)
