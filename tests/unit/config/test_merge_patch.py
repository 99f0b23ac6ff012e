from gateway.config.merge import merge_patch


def test_mappings_merge_and_everything_else_replaces():
    """Below a mapping key by key; lists and scalars as a whole."""
    base = {"a": {"b": 1, "c": [1, 2]}, "d": 4, "e": {"f": 5}}
    assert merge_patch(base, {"a": {"c": [3]}, "d": {"x": 1}, "e": 6, "g": 7}) == {
        "a": {"b": 1, "c": [3]},
        "d": {"x": 1},
        "e": 6,
        "g": 7,
    }


def test_a_null_deletes():
    """Also below, also what is not there, also inside a mapping that is new."""
    assert merge_patch({"a": 1, "b": {"c": 2, "d": 3}}, {"a": None, "b": {"c": None}, "x": None, "y": {"z": None}}) == {
        "b": {"d": 3},
        "y": {},
    }


def test_neither_side_is_changed():
    """A scenario may patch the same ward many times."""
    base, patch = {"a": {"b": 1}}, {"a": {"b": None, "c": {"d": 1}}}
    merge_patch(base, patch)["a"]["c"]["d"] = 2
    assert (base, patch) == ({"a": {"b": 1}}, {"a": {"b": None, "c": {"d": 1}}})
