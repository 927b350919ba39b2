"""The enumerations of drunc, by their contract names and numbers (contract 4.1, 4.2, 4.4)."""

from enum import IntEnum


class ResponseFlag(IntEnum):
    """What a node says of a request, its children left aside (contract 4.1)."""

    EXECUTED_SUCCESSFULLY = 0
    FAILED = 1
    NOT_EXECUTED_NOT_IMPLEMENTED = 2
    NOT_EXECUTED_NOT_IN_CONTROL = 3
    NOT_EXECUTED_NOT_AUTHORISED = 4
    NOT_EXECUTED_NODE_IN_ERROR = 5
    DRUNC_EXCEPTION_THROWN = 6
    UNHANDLED_EXCEPTION_THROWN = 7
    NOT_EXECUTED_BAD_REQUEST_FORMAT = 8
    # G3 only.
    NOT_EXECUTED_NOT_READY = 9


class FsmFlag(IntEnum):
    """What a node says of a transition (contract 4.2, ``FSMResponseFlag``)."""

    FSM_EXECUTED_SUCCESSFULLY = 0
    FSM_FAILED = 1
    FSM_INVALID_TRANSITION = 2
    FSM_NOT_EXECUTED_EXCLUDED = 3
    FSM_NOT_EXECUTED_IN_ERROR = 4


class BroadcastType(IntEnum):
    """Kind of a broadcast (contract 4.4); only those that an installation sends."""

    ACK = 0
    SERVER_READY = 3
    SERVER_SHUTDOWN = 4
    COMMAND_EXECUTION_START = 5
    COMMAND_EXECUTION_SUCCESS = 6
    STATUS_UPDATE = 9
    SUBPROCESS_STATUS_UPDATE = 10
    DEBUG = 11
    CHILD_COMMAND_EXECUTION_START = 12
    CHILD_COMMAND_EXECUTION_SUCCESS = 13
    CHILD_COMMAND_EXECUTION_FAILED = 14
    FSM_STATUS_UPDATE = 17


class ProcessStatus(IntEnum):
    """Status of a process (contract 4.3, ``ProcessInstance.StatusCode``)."""

    RUNNING = 0
    DEAD = 1


class ArgumentType(IntEnum):
    """Type of an FSM argument (contract 4.2, ``Argument.Type``)."""

    INT = 0
    FLOAT = 1
    STRING = 2
    BOOL = 3
