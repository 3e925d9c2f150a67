"""What goes on for long is told once a minute."""

from __future__ import annotations

from regulars.compose.rarely import rarely


def test_the_same_subject_once_a_minute() -> None:
    told: list[tuple[str, int]] = []
    at = [0.0]

    def tell(subject: str, number: int) -> None:
        told.append((subject, number))

    telling = rarely(tell, lambda: at[0])
    for number, (seconds, subject) in enumerate(((100.0, "a"), (101.0, "a"), (102.0, "b"), (159.9, "a"), (160.0, "a"))):
        at[0] = seconds
        telling(subject, number)
    assert told == [("a", 0), ("b", 2), ("a", 4)]
