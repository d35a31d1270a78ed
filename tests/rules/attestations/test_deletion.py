"""What a deletion certificate leaves out of the register."""

from __future__ import annotations

from portal.attestations.rules.deletion import Unnamed, unnamed

REGISTER = [
    {
        "dataset": "Prompts, batch 7",
        "owner": "Ada",
        "place": "Annotation workspace, Portugal",
        "copies": "Backup vault; laptop export",
    },
    {"dataset": "Rubric R-2", "place": "Wiki, Ireland", "copies": "none"},
]


def test_a_certificate_that_names_everything_leaves_nothing_out() -> None:
    rows = [
        {
            "dataset": "prompts batch 7 (4,100 items)",
            "systems": "ANNOTATION WORKSPACE",
            "copies": "backup vault, laptop export",
        },
        {"dataset": "Rubric R-2", "systems": "Wiki"},
    ]
    assert unnamed(REGISTER, rows) == ()


def test_each_thing_that_is_not_named_is_said() -> None:
    rows = [{"dataset": "Prompts, batch 7", "systems": "Workspace", "copies": "Backup vault"}]
    assert unnamed(REGISTER, rows) == (
        Unnamed("Prompts, batch 7", "place", "Annotation workspace"),
        Unnamed("Prompts, batch 7", "copy", "laptop export"),
        Unnamed("Rubric R-2", "dataset", "Rubric R-2"),
    )


def test_a_shorter_name_is_not_the_same_data_set() -> None:
    assert unnamed([{"dataset": "Batch 71"}], [{"dataset": "Batch 7"}]) == (Unnamed("Batch 71", "dataset", "Batch 71"),)
    assert unnamed([{"dataset": "Batch 7"}], [{"dataset": "Batch 71"}]) == (Unnamed("Batch 7", "dataset", "Batch 7"),)


def test_rows_may_share_a_data_set() -> None:
    rows = [{"dataset": "Batch 7", "systems": "Store"}, {"dataset": "Batch 7", "copies": "Vault"}]
    assert unnamed([{"dataset": "Batch 7", "place": "Store", "copies": "Vault"}], rows) == ()


def test_an_empty_register_asks_for_nothing() -> None:
    assert unnamed([{"dataset": "  "}], []) == ()
    assert unnamed([], []) == ()
