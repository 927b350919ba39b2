"""Ids of the page of all sessions."""

from components.question_dialog import QuestionIds

SUB = "sessions-sub"
WANTED = "sessions-wanted"
ACTIVE = "sessions-active"
GONE = "sessions-gone"
CONFIGURATIONS = "sessions-configurations"
COMMANDS = "sessions-commands"

CONFIGURATION = "sessions-configuration"
FILE = "sessions-file"
CONFIGURATION_ID = "sessions-configuration-id"
NAME = "sessions-name"
BOOT_AREA = "sessions-boot-area"
BOOT = "sessions-boot-button"
BOOT_REASON = "sessions-boot-reason"
BOOT_RESULT = "sessions-boot-result"
BOOT_LINES = "sessions-boot-lines"
BOOT_SHELL = "sessions-boot-shell"
BOOT_THEN = "sessions-boot-then"
BOOT_HINT = "sessions-boot-hint"

SESSION = "sessions-session"
END_AREA = "sessions-end-area"
END = "sessions-end-button"
END_REASON = "sessions-end-reason"
END_RESULT = "sessions-end-result"
END_LINES = "sessions-end-lines"
END_SHELL = "sessions-end-shell"
END_THEN = "sessions-end-then"

LEFT = "sessions-left"
RIGHT = "sessions-right"
DIFFERENCE = "sessions-difference"

PENDING = "sessions-pending"
QUESTION = QuestionIds(
    dialog="sessions-dialog",
    title="sessions-dialog-title",
    body="sessions-dialog-body",
    error="sessions-dialog-error",
    typed_area="sessions-typed-area",
    typed_label="sessions-typed-label",
    typed="sessions-typed-input",
    typed_hint="sessions-typed-hint",
    cancel="sessions-cancel-button",
    confirm="sessions-confirm-button",
)
