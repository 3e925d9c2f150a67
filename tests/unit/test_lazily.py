"""A property that is worked out once."""

from __future__ import annotations

from regulars.lazily import lazily


class Counted:
    def __init__(self) -> None:
        self.asked = 0

    @lazily
    def answer(self) -> int:
        """How often it was asked."""
        self.asked += 1
        return self.asked


def test_it_is_made_on_first_use_and_kept_by_each_object() -> None:
    one, other = Counted(), Counted()
    assert (one.asked, one.answer, one.answer, one.asked) == (0, 1, 1, 1)
    assert other.__dict__ == {"asked": 0}
    assert one.__dict__ == {"asked": 1, "answer": 1}
    del one.__dict__["answer"]
    assert one.answer == 2


def test_of_the_class_it_is_itself_and_says_what_it_is() -> None:
    assert isinstance(Counted.answer, lazily)
    assert Counted.answer.__doc__ == "How often it was asked."
