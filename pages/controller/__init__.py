"""The page of one session's controllers: state machine, control, arguments, tree, and what came of commands."""
