"""Ids of the controller page."""

WANTED = "controller-wanted"
MACHINE = "controller-machine"
TRANSITIONS = "controller-transitions"
NAMES = "controller-transition-names"
ABORT = "controller-abort-button"
ABORT_BAR = "controller-abort"
ABORT_SAID = "controller-abort-said"
ABORT_RESULT = "controller-abort-result"
PROGRESS = "controller-progress"
MACHINE_SUB = "controller-machine-sub"
CONTROL = "controller-control"
HOLDER = "controller-holder"
OBSTACLE = "controller-control-obstacle"
TREE = "controller-tree"
TREE_SUB = "controller-tree-sub"
COMMANDS = "controller-commands"
BOARD = "controller-board"

PREFLIGHT = "controller-preflight"
IN_SPITE = "controller-in-spite-input"
IN_SPITE_ROW = "controller-in-spite"
IN_SPITE_SAID = "controller-in-spite-said"

# The script of the tree knows these three (assets/controller.js).
SEARCH = "controller-search"
FOUND = "controller-found"
SELECTED = "controller-selected"
NODE = "controller-node"
NODE_TITLE = "controller-node-title"
NODE_ACTIONS_TITLE = "controller-node-actions-title"
NODE_OBSTACLE = "controller-node-obstacle"
NODE_COMMAND = "controller-node-command"
NODE_RESULT = "controller-node-result"
EXPERT_DIALOG = "controller-expert-dialog"
EXPERT_TARGET = "controller-expert-target"
EXPERT_TEXT = "controller-expert-input"
EXPERT_ERROR = "controller-expert-error"
EXPERT_SEND = "controller-expert-send-button"
EXPERT_CANCEL = "controller-expert-cancel-button"
TO_ERROR_DIALOG = "controller-to-error-dialog"
TO_ERROR_TARGET = "controller-to-error-target"
TO_ERROR_SEND = "controller-to-error-send-button"
TO_ERROR_CANCEL = "controller-to-error-cancel-button"

TAKE = "controller-take-button"
RELEASE = "controller-release-button"
CONTROL_RESULT = "controller-control-result"
CONTROL_COMMAND = "controller-control-command"
ASK = "controller-ask-button"
ASK_DIALOG = "controller-ask-dialog"
ASK_TITLE = "controller-ask-dialog-title"
ASK_BODY = "controller-ask-dialog-body"
ASK_REASON = "controller-ask-reason-input"
ASK_ERROR = "controller-ask-dialog-error"
ASK_SEND = "controller-ask-send-button"
ASK_CANCEL = "controller-ask-cancel-button"
LOSS = "controller-loss"
DIALOG = "controller-take-dialog"
DIALOG_TITLE = "controller-take-dialog-title"
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

NODE_ACTION = {"component": "controller", "element": "node-action"}
TRANSITION = {"component": "controller", "element": "transition"}


def transition_id(name: str) -> dict[str, str]:
    """Return the id of the button that opens a transition's form."""
    return TRANSITION | {"key": name}


def node_action_id(action: str) -> dict[str, str]:
    """Return the id of the button that asks for an action of the selected nodes."""
    return NODE_ACTION | {"key": action}
