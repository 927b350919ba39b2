"""What alarms mean and what to do, as long as nobody of the experiment has written it better."""

from collections.abc import Mapping

from services.alarms.types import AlarmKind, Guidance

DEFAULTS: Mapping[AlarmKind, Guidance] = {
    AlarmKind.PROCESS: Guidance(
        "A process of the data acquisition has died. Its application takes no part in the run any more, and its node "
        "is in error.",
        "Read the last lines of its log. In a run that can go on without it, exclude its node; otherwise stop the run, "
        "restart the process, and recompute the status.",
    ),
    AlarmKind.NODE: Guidance(
        "A controller or application says of itself that it is in error. Transitions of the part of the tree that "
        "holds it fail until it is mended.",
        "Read its messages and its log. Mend the cause, then recompute the status; or exclude the node.",
    ),
    AlarmKind.BACKEND: Guidance(
        "The console has lost an address it asks. What it shows of it is from before; commands to it cannot be sent.",
        "Look whether the program runs and the network reaches it. The console goes on by itself when it answers.",
    ),
    AlarmKind.WORKER: Guidance(
        "A part of the console itself does not work as it should: states may be old, or messages late.",
        "Read its last error on the Status page. Messages are not lost: reading goes on where it stopped.",
    ),
    AlarmKind.MESSAGE: Guidance(
        "An application has reported an error or a fatal fault.",
        "Read the message with its context and causes, and what other applications said in the same minute.",
    ),
    AlarmKind.OVERFLOW: Guidance(
        "More is wrong at the same time than can be listed.",
        "Look for the common cause on the Overview and Status pages first.",
    ),
}
