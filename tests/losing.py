"""What tests of interrupted loads stand on: a run whose every effect is known, interrupted at a chosen message."""
import subprocess

from harness import create_database
from loading import Case, company, contribution, control, discrepancy, entities
from pgproxy import Proxy

OK, TRY_AGAIN = 0, 75


def changed():
    """The same a night later: rows to insert, update and delete, a discrepancy that goes and one that comes."""
    data = entities()
    data["contributions"] = [contribution("l1", 11710, 7027), contribution("l3", 11710, 7026)]
    data["invoice_controls"] = [control(23420)]
    data["members"] = data["members"][:1]
    data["discrepancies"] = [discrepancy("rate_mismatch")]
    return data


class Lost(Case):
    """Two worlds: nothing loaded yet, and another run to be laid over what is there."""

    def prepare(self, night):
        """Stages the run, makes a database that has seen the nights before it, and notes both of its states."""
        for data in (entities(), changed())[:night]:
            if self.nights:
                self.must()
            self.stage([(company(), data)])
        self.world = f"{self.database}_{night}"
        self.copy_database(self.database, self.world)
        self.before = self.every_row()
        with Proxy(self.env) as proxy:
            self.must(PGHOST=proxy.folder)
        self.after = self.every_row()
        self.assertNotEqual(self.before, self.after)
        return proxy.messages

    def restore(self):
        subprocess.run(["dropdb", "--force", self.database], env=self.base_env, check=True)
        create_database(self.base_env, self.database, self.world)

    def heal(self):
        """Called between the load that is interrupted and what looks at its effects."""

    def lose(self, when, action):
        """Loads with something done at one message; then again, twice. The status of the first."""
        self.restore()
        with Proxy(self.env, when, action) as proxy:
            result = self.load(PGHOST=proxy.folder)
        self.heal()
        self.assertIn(result.status, (OK, TRY_AGAIN), result.stderr)
        self.assertEqual(self.every_row(), self.after if result.status == OK else self.before, result.stderr)
        if result.status != OK:
            self.assertRegex(result.stderr, "connection to the database lost|connection lost at COMMIT")
        report = self.must()
        self.assertEqual(report["changed"], result.status != OK)
        self.assertEqual(self.every_row(), self.after)
        versions = self.every_version()
        self.assertFalse(self.must()["changed"])
        self.assertEqual(self.every_version(), versions)
        return result
