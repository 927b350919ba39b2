"""Ids of the page of all processes."""

from components.process_stake import Act
from components.question_dialog import QuestionIds

GRID = "processes-grid"
KNOWN = "processes-known"
SEARCH = "processes-search"
SHOWN = "processes-shown"
AGE = "processes-age"
TABS = "processes-tabs"

WANTED = "processes-wanted"
CHOSEN = "processes-chosen"
SELECTION = "processes-selection"
REASONS = "processes-reasons"
CLEAR = "processes-clear-button"
ACTIONS = {act: f"processes-{act}-button" for act in Act}

PENDING = "processes-pending"
SENT = "processes-sent"
REFUSED = "processes-refused"
COMMANDS = "processes-commands"

DIALOG = "processes-dialog"
DIALOG_TITLE = "processes-dialog-title"
DIALOG_BODY = "processes-dialog-body"
DIALOG_ERROR = "processes-dialog-error"
TYPED_AREA = "processes-typed-area"
TYPED_LABEL = "processes-typed-label"
TYPED = "processes-typed-input"
TYPED_HINT = "processes-typed-hint"
REASON_AREA = "processes-reason-area"
REASON = "processes-reason-input"
CANCEL = "processes-cancel-button"
CONFIRM = "processes-confirm-button"
QUESTION = QuestionIds(
    dialog=DIALOG,
    title=DIALOG_TITLE,
    body=DIALOG_BODY,
    error=DIALOG_ERROR,
    typed_area=TYPED_AREA,
    typed_label=TYPED_LABEL,
    typed=TYPED,
    typed_hint=TYPED_HINT,
    cancel=CANCEL,
    confirm=CONFIRM,
)

BOOT = "processes-boot-button"
BOOT_DIALOG = "processes-boot-dialog"
BOOT_TITLE = "processes-boot-title"
BOOT_KIND = "processes-boot-kind"
BOOT_DUMMY = "processes-boot-dummy"
BOOT_TEXT_AREA = "processes-boot-text-area"
BOOT_TEXT = "processes-boot-text"
BOOT_ERROR = "processes-boot-error"
BOOT_CANCEL = "processes-boot-cancel-button"
BOOT_CONFIRM = "processes-boot-confirm-button"
BOOT_SESSION = "processes-boot-session"
BOOT_USER = "processes-boot-user"
BOOT_PROCESSES = "processes-boot-processes"
BOOT_SLEEPS = "processes-boot-sleeps"
BOOT_SLEEP_S = "processes-boot-sleep-s"
