"""A table of replaced functions leaves no trace, and a student's code cannot undo it for long."""

from lessons.workshop.engine.scheduling.patches import Patches


class Base:
    def own(self):
        return "usual"


class Heir(Base):
    pass


def test_the_last_user_restores_own_and_inherited_methods():
    patches = Patches((Base, "own", lambda _: "replaced"), (Heir, "own", lambda _: "again"))
    before = dict(vars(Base)), dict(vars(Heir))
    with patches.installed():
        with patches.installed():
            pass
        assert (Base().own(), Heir().own()) == ("replaced", "again")
    assert (dict(vars(Base)), dict(vars(Heir))) == before


def test_the_next_user_replaces_what_a_students_code_has_replaced(monkeypatch):
    patches = Patches((Base, "own", lambda _: "replaced"))
    with patches.installed():
        monkeypatch.setattr(Base, "own", lambda _: "of a student")
        with patches.installed():
            assert Base().own() == "replaced"
    assert Base().own() == "usual"
