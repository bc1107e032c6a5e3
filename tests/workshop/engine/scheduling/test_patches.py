"""A table of replaced functions leaves no trace, and a student's code cannot undo it for long."""

from lessons.workshop.engine.scheduling.patches import installed


class Base:
    def own(self):
        return "usual"


class Heir(Base):
    pass


def test_the_last_user_restores_own_and_inherited_methods():
    patches = (Base, "own", lambda _: "replaced"), (Heir, "own", lambda _: "again")
    before = dict(vars(Base)), dict(vars(Heir))
    with installed(patches):
        with installed(patches):
            pass
        assert (Base().own(), Heir().own()) == ("replaced", "again")
    assert (dict(vars(Base)), dict(vars(Heir))) == before


def test_the_next_user_replaces_what_a_students_code_has_replaced(monkeypatch):
    patches = ((Base, "own", lambda _: "replaced"),)
    with installed(patches):
        monkeypatch.setattr(Base, "own", lambda _: "of a student")
        with installed(patches):
            assert Base().own() == "replaced"
    assert Base().own() == "usual"
