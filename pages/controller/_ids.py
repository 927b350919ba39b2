"""Ids of the controller page."""

WANTED = "controller-wanted"
MACHINE = "controller-machine"
TRANSITIONS = "controller-transitions"
NAMES = "controller-transition-names"
PROGRESS = "controller-progress"
MACHINE_SUB = "controller-machine-sub"
CONTROL = "controller-control"
HOLDER = "controller-holder"
OBSTACLE = "controller-control-obstacle"
TREE = "controller-tree"
TREE_SUB = "controller-tree-sub"
COMMANDS = "controller-commands"

TAKE = "controller-take-button"
RELEASE = "controller-release-button"
CONTROL_RESULT = "controller-control-result"
CONTROL_COMMAND = "controller-control-command"
DIALOG = "controller-take-dialog"
DIALOG_BODY = "controller-take-dialog-body"
DIALOG_ERROR = "controller-take-dialog-error"
REASON = "controller-take-reason-input"
CONFIRM = "controller-take-confirm-button"
CANCEL = "controller-take-cancel-button"

CHOSEN = "controller-chosen-transition"
FORM = "controller-form"
FORM_HEAD = "controller-form-head"
FORM_BODY = "controller-form-body"
FORM_CLOSE = "controller-form-close-button"
STANDING = "controller-form-standing"
EXECUTE = "controller-execute-button"
RESULT = "controller-form-result"
SENT = "controller-sent-command"

TRANSITION = {"component": "controller", "element": "transition"}


def transition_id(name: str) -> dict[str, str]:
    """Return the id of the button that opens a transition's form."""
    return TRANSITION | {"key": name}
