"""Matrix functions beside the exponential: each a program, a truncation and a domain."""

from theory.lazy import lazy_attributes

_CONTENTS = {
    "plan_function": "planner",
    "replan_function": "planner",
}
__all__ = list(_CONTENTS)
__getattr__, __dir__ = lazy_attributes(__name__, _CONTENTS)
