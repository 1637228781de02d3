"""What the fuzzer cannot read out of the document."""

import schemathesis


@schemathesis.hook
def before_call(context, case, kwargs):
    """A log that is followed stays open for as long as its box is there."""
    if "true" in str((case.query or {}).get("follow")).lower():
        del case.query["follow"]


@schemathesis.serializer("application/vnd.smartbox.exec")
def frames(context, value):
    """Bytes that are hardly ever frames."""
    return value if isinstance(value, bytes) else str(value).encode()
