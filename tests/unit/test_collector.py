"""How the collector's process is prepared."""

import gc

from collector import set_aside_what_stays


def test_the_garbage_collector_leaves_alone_what_stays() -> None:
    try:
        set_aside_what_stays()
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()
    assert gc.get_freeze_count() == 0
